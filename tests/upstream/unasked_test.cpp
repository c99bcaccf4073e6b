// SPDX-License-Identifier: Apache-2.0
// What lies on an idle connection before the next request's first byte is never taken for its answer (RFC 9112, 9.2).
#include "tests/support/temp_dir.hpp"
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/relayed.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

namespace alli::upstream {
namespace {

using upstream_test::answer;
using upstream_test::Heard;
using upstream_test::ScriptedServer;

struct Stray {
    const char* name;
    const char* bytes;
};

constexpr auto strays = std::to_array<Stray>({
    {"200", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"200 with a body",
     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"stray\":true}"},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"100", "HTTP/1.1 100 Continue\r\n\r\n"},
    {"400", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
    {"404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
    {"408",
     "HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"
     "<html><body><h1>408 Request Time-out</h1></body></html>\n"},
    {"500", "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\noops\n"},
    {"half a head", "HTTP/1.1 200 OK\r\nContent-Le"},
    {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"stray\":"},
    {"one byte", "H"},
    {"garbage", "\x15\x03\x01 whatever this may be"},
    {"nothing", ""},
});

struct Way {
    const char* name;
    bool tls;
    bool relayed;
};

class Unasked : public testing::TestWithParam<Way> {
  protected:
    Unasked()
        : certificate_(upstream_test::make_certificate()),
          server_([](const Heard& heard) { return answer(200, "asked " + heard.target); },
                  GetParam().tls ? &certificate_ : nullptr)
    {
        std::ofstream(directory_ / "ca.pem") << certificate_.certificate;
        CurlOptions options;
        options.base_url = server_.url();
        if (GetParam().tls) options.ca_file = directory_ / "ca.pem";
        multi_ = std::make_shared<CurlMulti>(loop_.get_executor(), options);
    }
    ~Unasked() override { multi_->close(); }

    static Task<std::string> ask(std::shared_ptr<CurlMulti> multi, Request request)
    {
        Task<Reply> answer = GetParam().relayed ? upstream_test::relayed(std::move(multi), std::move(request))
                                                : CurlMulti::send(std::move(multi), std::move(request));
        const Reply reply = co_await std::move(answer);
        co_return std::to_string(reply.status) + " " + reply.body;
    }

    std::string send(const std::string& method, const std::string& target)
    {
        Request request;
        request.method = method;
        request.target = target;
        if (method == "PUT" || method == "POST") request.body = R"({"title":"new"})";
        return upstream_test::run(loop_, ask(multi_, request));
    }

    support::TempDir directory_;
    asio::io_context loop_;
    upstream_test::Certificate certificate_;
    ScriptedServer server_;
    std::shared_ptr<CurlMulti> multi_;
};

int rounds()
{
    const char* more = std::getenv("ALLI_UNASKED_ROUNDS"); // the long run
    return more ? std::atoi(more) : 40;
}

TEST_P(Unasked, AnswersAreNeverTakenForTheAnswerToTheNextRequest)
{
    constexpr std::array methods{"PUT", "GET", "DELETE", "POST"};
    int sent = 0;
    for (int round = 0; round < rounds(); ++round)
        for (const Stray& stray : strays) {
            const bool close = round % 2 == 1 || *stray.bytes == '\0';
            if (sent > 0) server_.say_unasked(stray.bytes, close);
            const std::string target = "/webapi/v2/conversations/" + std::to_string(++sent);
            ASSERT_EQ(send(methods[static_cast<std::size_t>(sent) % methods.size()], target), "200 asked " + target)
                << stray.name << (close ? ", then closed" : "") << ", round " << round;
        }
    const auto heard = server_.heard();
    ASSERT_EQ(heard.size(), static_cast<std::size_t>(sent)) << "each was sent once";
    for (int i = 0; i < sent; ++i)
        ASSERT_TRUE(heard[static_cast<std::size_t>(i)].target.ends_with("/" + std::to_string(i + 1)));
}

TEST_P(Unasked, NothingCostsNoConnection)
{
    for (int i = 0; i < 100; ++i) ASSERT_EQ(send("GET", "/x"), "200 asked /x");
    EXPECT_EQ(server_.connections(), 1) << "tickets of TLS 1.3 are no reason to begin anew";
    EXPECT_EQ(multi_->discarded(), 0U);
}

// libcurl gives a request up after five connections that turn out to be dead.
TEST_P(Unasked, AnswersOnEveryIdleConnectionHoldUpNoRequest)
{
    CurlOptions options = multi_->options();
    options.max_connections = 24;
    multi_->close();
    multi_ = std::make_shared<CurlMulti>(loop_.get_executor(), options);
    for (int round = 0; round < 3; ++round) {
        int answered = 0;
        for (int i = 0; i < 24; ++i) {
            Request request;
            request.target = "/all";
            asio::co_spawn(loop_, ask(multi_, request), [&](std::exception_ptr failed, const std::string& got) {
                EXPECT_FALSE(failed);
                EXPECT_EQ(got, "200 asked /all");
                ++answered;
            });
        }
        loop_.restart();
        while (answered < 24) loop_.run_one();
        server_.say_unasked(strays[6].bytes, round == 1);
    }
    EXPECT_EQ(send("PUT", "/after"), "200 asked /after");
    EXPECT_GT(server_.connections(), 48);
}

INSTANTIATE_TEST_SUITE_P(Connections, Unasked,
                         testing::Values(Way{"plain", false, false}, Way{"tls", true, false},
                                         Way{"relayed", false, true}, Way{"relayed_by_tls", true, true}),
                         [](const auto& way) { return way.param.name; });

// The end of an answer and what nobody asked for in one TLS record: it has left the socket by then.
TEST(UnaskedInOneRecord, IsNotTakenEither)
{
    for (const bool tls : {false, true}) {
        const auto certificate = upstream_test::make_certificate();
        int asked = 0;
        ScriptedServer server(
            [&](const Heard&) {
                upstream_test::Answer reply;
                const std::string body = "answer " + std::to_string(++asked) + ", the rest of it";
                reply.pieces = {"HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\nans",
                                body.substr(3) + strays[1].bytes};
                reply.gap = std::chrono::milliseconds(2); // so that the end is read by itself
                return reply;
            },
            tls ? &certificate : nullptr);
        support::TempDir directory;
        std::ofstream(directory / "ca.pem") << certificate.certificate;
        asio::io_context loop;
        CurlOptions options;
        options.base_url = server.url();
        if (tls) options.ca_file = directory / "ca.pem";
        CurlTransport transport(loop.get_executor(), options);
        for (int i = 1; i < 20; ++i) {
            Request request;
            request.target = "/x";
            ASSERT_EQ(upstream_test::run(loop, transport.send(request)).body,
                      "answer " + std::to_string(i) + ", the rest of it");
        }
    }
}

} // namespace
} // namespace alli::upstream
