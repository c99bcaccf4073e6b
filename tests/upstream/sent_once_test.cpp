// SPDX-License-Identifier: Apache-2.0
// A kept connection that breaks before the answer: what may have been carried out is not sent again by the connection's
// keeper (RFC 9110, 9.2.2), but told to whoever can look whether it was.
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/relayed.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <gmock/gmock.h>

namespace alli::upstream {
namespace {

using upstream_test::answer;
using upstream_test::Heard;
using upstream_test::raw;
using upstream_test::ScriptedServer;
using Then = upstream_test::Answer::Then;

struct Case {
    const char* name;
    const char* method;
    const char* body;
    Then then;
    bool relayed;
};

class SentOnce : public testing::TestWithParam<Case> {
  protected:
    SentOnce()
        : server_(
              [](const Heard& heard) { return heard.target == "/warm" ? answer(200, "{}") : raw("", GetParam().then); })
    {
        CurlOptions options;
        options.base_url = server_.url();
        multi_ = std::make_shared<CurlMulti>(loop_.get_executor(), options);
        keep_connections();
    }
    ~SentOnce() override { multi_->close(); }

    // Several, so that a second try would find another kept one.
    void keep_connections()
    {
        int answered = 0;
        for (int i = 0; i < 3; ++i) {
            Request request;
            request.target = "/warm";
            asio::co_spawn(loop_, CurlMulti::send(multi_, std::move(request)),
                           [&](std::exception_ptr, const Reply&) { ++answered; });
        }
        while (answered < 3) loop_.run_one();
        EXPECT_EQ(server_.connections(), 3);
    }

    std::optional<Error> send()
    {
        Request request;
        request.method = GetParam().method;
        request.target = "/once";
        request.body = GetParam().body;
        return upstream_test::error_of(loop_, GetParam().relayed ? upstream_test::relayed(multi_, std::move(request))
                                                                 : CurlMulti::send(multi_, std::move(request)));
    }

    std::ptrdiff_t times_heard() const
    {
        const auto heard = server_.heard();
        return std::count_if(heard.begin(), heard.end(), [](const Heard& one) { return one.target == "/once"; });
    }

    asio::io_context loop_;
    ScriptedServer server_;
    std::shared_ptr<CurlMulti> multi_;
};

TEST_P(SentOnce, WhereTheConnectionBreaksBeforeTheAnswer)
{
    const auto error = send();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->fault(), Fault::unreachable) << error->what();
    if (std::string_view(GetParam().method) == "GET")
        EXPECT_GT(times_heard(), 1) << "a read is safe to repeat";
    else
        EXPECT_EQ(times_heard(), 1);
    EXPECT_GE(server_.connections(), 3);
}

std::vector<Case> cases()
{
    std::vector<Case> all;
    for (const bool relayed : {false, true})
        for (const Then then : {Then::close, Then::reset})
            for (const auto& [name, method, body] : {std::tuple("get", "GET", ""),
                                                     {"title", "PUT", "{\"title\":\"x\"}"},
                                                     {"feedback", "POST", "{}"},
                                                     {"stop", "POST", ""},
                                                     {"update", "PATCH", "{}"},
                                                     {"removal", "DELETE", ""}})
                all.push_back({name, method, body, then, relayed});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Kept, SentOnce, testing::ValuesIn(cases()), [](const auto& one) {
    return fmt::format("{}_{}_{}", one.param.relayed ? "relayed" : "sent", one.param.name,
                       one.param.then == Then::close ? "closed" : "reset");
});

} // namespace
} // namespace alli::upstream
