// SPDX-License-Identifier: Apache-2.0
// A mirror and everything that its answers stand on, asked without a socket, in the name of any principal.
#pragma once

#include "proxy/access/browser_sessions.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/dispatch.hpp"
#include "proxy/loop.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/routes.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/whole_headers.hpp"

namespace alli::proxy {

class AskedMirror {
  public:
    AskedMirror()
    {
        coalescer_.set_executor(io_.get_executor());
        options_.limits.heartbeat = std::chrono::milliseconds(1);
        options_.zone = Zone::load("UTC");
        upstream_.state.reachable = true;
        backend_.status_text = backend_.maintenance.text = R"({"of":"the whole"})";
        backend_.metrics_text = [](const RequestMetrics&) { return std::string("figures of the whole"); };
    }

    struct Reply {
        int status = 0;
        Headers headers;
        std::string body; // of a stream: its first pieces

        std::string_view header(std::string_view name) const { return headers.first(name); }
        nlohmann::json json() const { return nlohmann::json::parse(body); }
        /// Everything that leaves.
        std::string bytes() const
        {
            std::string all = body;
            for (const Header& header : headers) all += '\n' + header.name + ": " + header.value;
            return all;
        }
    };

    Reply ask(const Part& part, std::string_view target, const ::support::Headers& headers = {})
    {
        return ask(part, "GET", target, headers);
    }

    Reply ask(const Part& part, std::string_view method, std::string_view target,
              const ::support::Headers& headers = {}, std::string body = {})
    {
        Request rq;
        rq.method = method;
        rq.target = target;
        for (const auto& [name, value] : headers) rq.headers.add(name, value);
        rq.body = std::move(body);
        rq.request_id = "r";
        Principal principal{"a token", Scope::write, part};
        rq.principal = std::make_shared<const Principal>(principal);
        rq.grant = std::make_shared<const Grant>(std::move(principal));
        io_.restart();
        return sync_wait(io_, answer_to(*this, std::move(rq)));
    }

    template <class F>
    void write(F function)
    {
        sync_wait(store_.write(std::move(function)));
    }

    /// Complete from `from` on, as verified at 1990.
    void cover(std::int64_t from)
    {
        write([&](cache::Writer& db) {
            const Instant verified = support::at_second(1990);
            cache::cover(db, {support::at_second(from), support::at_second(1980), verified});
            cache::Progress progress;
            progress.unit = TimeUnit::seconds;
            progress.verified_at = verified;
            progress.boundary = support::at_second(1980);
            if (from == 0) progress.chatless_at = verified;
            cache::save_progress(db, progress);
        });
    }

    /// One conversation with these texts, a second each, the last at `seconds`.
    void put(const std::string& id, std::int64_t seconds, const std::vector<std::string>& texts,
             const nlohmann::json& more)
    {
        std::vector<Chat> chats;
        const auto count = static_cast<std::int64_t>(texts.size());
        for (std::int64_t n = 0; n < count; ++n)
            chats.push_back(support::make_chat(id, static_cast<int>(n), seconds - count + 1 + n,
                                               texts[static_cast<std::size_t>(n)]));
        const Conversation conversation = support::make_conversation(id, count > 0 ? seconds : 0, more);
        write([&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            cache::put_chats(db, conversation.id, 0, chats);
        });
    }

    cache::Store& store() { return store_; }
    Feed& feed() { return feed_; }
    FakeUpstream& upstream() { return upstream_; }
    FakeDelivery& delivery() { return delivery_; }
    SetClock& clock() { return clock_; }
    Runs& runs() { return runs_; }
    asio::io_context& io() { return io_; }

  private:
    static Task<Reply> answer_to(AskedMirror& self, Request rq)
    {
        Response response = co_await answer(self.context_, rq);
        Reply reply{response.status, whole_headers(response), response.body.text()};
        for (int piece = 0; response.stream && piece < 4; ++piece) {
            const auto text = co_await response.stream->next();
            if (!text) break;
            reply.body += *text;
        }
        std::erase_if(reply.headers, [](const Header& header) { return header.name == "X-Request-Id"; });
        co_return reply;
    }

    support::TempDir dir_;
    cache::Store store_{{dir_ / "mirror.db", "http://upstream.test", true}};
    SetClock clock_;
    FakeUpstream upstream_;
    FakeDelivery delivery_;
    asio::io_context io_{1};
    Options options_;
    FakeBackend backend_{upstream_, delivery_};
    Guard guard_{options_};
    CacheBudget budget_{1 << 20};
    ResponseCache response_cache_{budget_};
    Coalescer coalescer_;
    RequestMetrics request_metrics_{1, guard_};
    RequestIds request_ids_;
    FakeExchanges exchanges_{upstream_};
    SystemRandom random_;
    upstream::Breaker exchange_breaker_{random_, {}};
    Feed feed_{io_.get_executor(), store_, request_metrics_.of(0)};
    BrowserSessions browser_sessions_;
    UnsupportedParameters unsupported_parameters_;
    Runs runs_;
    RouteMap routes_{routes(), options_.operations};
    const Context context_{backend_.over(store_, clock_),
                           options_,
                           response_cache_,
                           coalescer_,
                           request_metrics_.of(0),
                           request_metrics_,
                           request_ids_,
                           &exchanges_,
                           exchange_breaker_,
                           feed_,
                           browser_sessions_,
                           unsupported_parameters_,
                           runs_,
                           routes_};
};

} // namespace alli::proxy
