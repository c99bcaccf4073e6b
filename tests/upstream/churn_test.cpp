// SPDX-License-Identifier: Apache-2.0
// Everything at once: answers, cuts, resets, silence, cancellations and deadlines, in an order that a seed decides.
#include "alli/random.hpp"
#include "tests/upstream/fetch.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/curl/curl_transport.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gtest/gtest.h>

#include <list>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using Then = upstream_test::Answer::Then;

upstream_test::Answer by_path(const upstream_test::Heard& heard)
{
    static const std::string half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
    switch (heard.target.back()) {
    case '1':
        return upstream_test::raw(half, Then::close);
    case '2':
        return upstream_test::raw(half, Then::reset);
    case '3':
        return upstream_test::raw(half, Then::stall);
    case '4':
        return upstream_test::raw("", Then::reset);
    case '5':
        return upstream_test::raw("", Then::stall);
    default:
        return upstream_test::answer(200, "fine");
    }
}

struct Sent {
    explicit Sent(asio::io_context& loop) : later(loop) {}

    asio::cancellation_signal cancel;
    asio::steady_timer later;
    int ends = 0;
};

void churn(std::uint64_t seed)
{
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    upstream_test::ScriptedServer server(by_path);
    asio::io_context loop;
    CurlOptions options;
    options.base_url = server.url();
    options.max_connections = 3;
    options.request_timeout = 40ms;
    CurlTransport transport(loop.get_executor(), options);
    std::list<Sent> all;
    for (int i = 0; i < 120; ++i) {
        Sent& sent = all.emplace_back(loop);
        Request request;
        request.target = "/" + std::to_string(random.below(12) % 10);
        request.timeout = std::chrono::milliseconds(random.below(4) == 0 ? 1 + random.below(20) : 0);
        auto done = [&sent](std::exception_ptr, Reply) { ++sent.ends; };
        asio::co_spawn(loop, transport.send(std::move(request)),
                       asio::bind_cancellation_slot(sent.cancel.slot(), done));
        if (random.below(3) != 0) continue;
        sent.later.expires_after(std::chrono::microseconds(random.below(60'000)));
        sent.later.async_wait([&sent](boost::system::error_code) {
            if (sent.ends == 0) sent.cancel.emit(asio::cancellation_type::terminal);
        });
    }
    loop.run_for(20s);
    for (const Sent& sent : all) EXPECT_EQ(sent.ends, 1);

    Request last;
    last.target = "/0";
    EXPECT_EQ(upstream_test::run(loop, transport.send(std::move(last))).body, "fine");
}

TEST(Churn, EveryRequestEndsOnceAndTheTransportStaysUsable)
{
    for (std::uint64_t seed = 1; seed <= 8; ++seed) churn(seed);
}

} // namespace
