// SPDX-License-Identifier: Apache-2.0
// A server over a real store, and behind it an upstream that answers what a test tells it to.
#pragma once

#include "alli/error.hpp"
#include "alli/run_to_end.hpp"
#include "cache/conversations.hpp"
#include "cache/progress.hpp"
#include "cache/store.hpp"
#include "proxy/server.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>
#include <map>
#include <mutex>

namespace alli::proxy {

/// A wall clock that a test sets before the server reads it.
class SetClock final : public Clock {
  public:
    Instant now() const override { return Instant{std::chrono::seconds{seconds}}; }
    Steady steady() const override { return {}; }
    Task<> sleep(std::chrono::nanoseconds) override { co_return; }

    std::atomic<std::int64_t> seconds{2000};
};

/// Upstream as the proxy sees it. Its members are set before a request and read after its answer.
struct FakeUpstream {
    upstream::Reply reply{200, {{"Content-Type", "application/json"}}, R"({"from":"upstream"})"};
    bool away = false;
    std::optional<Fault> fails;                                 // with that, in the place of an answer
    std::map<std::string, upstream::Reply> replies;             // by target, before `reply`
    std::function<std::string(const std::string& target)> body; // of a 200, before all of them, where it is set
    Upstream state{"http://upstream.test", true, true, ""};
    std::vector<upstream::Request> requests;
    std::vector<std::string> woken;
    std::vector<std::pair<std::uint64_t, std::optional<std::int64_t>>> settles; // fences, and chats before a run
    int wakes = 0, probes = 0, accepted_deletions = 0, accepted_keys = 0, category_refreshes = 0;
    std::function<Task<>()> before; // awaited before each answer, where there is one
    std::mutex mutex;

    static Task<upstream::Reply> answer(FakeUpstream* self, upstream::Request request)
    {
        if (self->before) co_await self->before();
        const std::lock_guard lock(self->mutex);
        self->requests.push_back(std::move(request));
        if (self->away) throw Error(Fault::unreachable, "check the network", "upstream.test cannot be reached");
        if (self->fails) throw Error(*self->fails, "", "upstream.test does not answer that");
        if (self->body) {
            upstream::Reply made = self->reply;
            made.body = self->body(self->requests.back().target);
            co_return made;
        }
        const auto own = self->replies.find(self->requests.back().target);
        co_return own == self->replies.end() ? self->reply : own->second;
    }
};

/// What is passed on, as FakeUpstream answers it.
class FakeExchange final : public upstream::Exchange {
  public:
    FakeExchange(FakeUpstream& upstream, upstream::Opening opening)
        : upstream_(upstream), request_(std::move(opening.head))
    {}
    Task<bool> put(std::string_view piece) override
    {
        request_.body += piece;
        co_return true;
    }
    void when_unwanted(std::function<void()>) override {}
    void end_body() override {}
    Task<upstream::Reply> head() override
    {
        upstream::Reply reply = co_await FakeUpstream::answer(&upstream_, std::move(request_));
        if (!reply.body.empty()) body_ = std::exchange(reply.body, {});
        co_return reply;
    }
    Task<std::optional<std::string>> next() override { co_return std::exchange(body_, std::nullopt); }

  private:
    FakeUpstream& upstream_;
    upstream::Request request_;
    std::optional<std::string> body_;
};

class FakeExchanges final : public upstream::Exchanges {
  public:
    explicit FakeExchanges(FakeUpstream& upstream) : upstream_(upstream) {}
    std::unique_ptr<upstream::Exchange> open(upstream::Opening opening) override
    {
        return std::make_unique<FakeExchange>(upstream_, std::move(opening));
    }

  private:
    FakeUpstream& upstream_;
};

/// Delivery as the proxy sees it: answers with `reply`, or lets everything wait.
struct FakeDelivery {
    std::optional<upstream::Reply> reply;
    bool awaited = false;
    std::vector<std::int64_t> offered;
    std::vector<std::chrono::milliseconds> patience;

    static Task<std::optional<upstream::Reply>> offer(FakeDelivery* self, Outgoing outgoing,
                                                      std::chrono::milliseconds time)
    {
        self->offered.push_back(outgoing.accepted.id);
        self->patience.push_back(time);
        co_return self->reply;
    }
    cache::Retried retried;
    cache::Steered discarded = cache::Steered::done;
    std::vector<std::int64_t> steered;
    static Task<cache::Retried> retry(FakeDelivery* self, std::int64_t id)
    {
        self->steered.push_back(id);
        co_return self->retried;
    }
    static Task<cache::Steered> discard(FakeDelivery* self, std::int64_t id)
    {
        self->steered.push_back(id);
        co_return self->discarded;
    }
    static Task<bool> await(FakeDelivery* self) { co_return self->awaited; }
};

class ProxyTest : public testing::Test {
  protected:
    ProxyTest() = default;
    /// Hears how many of SQLite's steps each read of the store took, on the thread that read.
    explicit ProxyTest(std::function<void(std::uint64_t)> count_steps) : count_steps_(std::move(count_steps)) {}

    void start(Options options = {})
    {
        if (options.listen == Options{}.listen) options.listen = {"127.0.0.1:0"};
        options.api_key = "the-key";
        Needs needs{.store = store_,
                    .clock = clock_,
                    .relay = {},
                    .upstream = {},
                    .status = {},
                    .wake = {},
                    .wake_conversation = {}};
        needs.relay = [this](upstream::Request request) {
            return FakeUpstream::answer(&upstream_, std::move(request));
        };
        needs.connect = connect_;
        needs.upstream = [this] {
            const std::lock_guard lock(upstream_.mutex);
            return upstream_.state;
        };
        needs.metrics = metrics_;
        needs.status = [] { return std::string(R"({"version":"test"})"); };
        needs.wake = [this] {
            const std::lock_guard lock(upstream_.mutex);
            ++upstream_.wakes;
        };
        needs.probe = [this] {
            const std::lock_guard lock(upstream_.mutex);
            ++upstream_.probes;
        };
        needs.accept_deletions = [this] {
            const std::lock_guard lock(upstream_.mutex);
            ++upstream_.accepted_deletions;
        };
        needs.refresh_categories = [this] {
            const std::lock_guard lock(upstream_.mutex);
            ++upstream_.category_refreshes;
        };
        needs.wake_conversation = [this](const ConversationId& id) {
            const std::lock_guard lock(upstream_.mutex);
            upstream_.woken.push_back(id.value);
        };
        needs.settle = [this](const ConversationId& id, std::uint64_t fence, std::optional<std::int64_t> before) {
            const std::lock_guard lock(upstream_.mutex);
            upstream_.woken.push_back(id.value);
            upstream_.settles.push_back({fence, before});
        };
        needs.deliver = [this](Outgoing outgoing, std::chrono::milliseconds patience) {
            return FakeDelivery::offer(&delivery_, std::move(outgoing), patience);
        };
        needs.retry_write = [this](std::int64_t id) { return FakeDelivery::retry(&delivery_, id); };
        needs.discard_write = [this](std::int64_t id) { return FakeDelivery::discard(&delivery_, id); };
        needs.is_awaited = [this](std::int64_t) { return FakeDelivery::await(&delivery_); };
        needs.start_maintenance = [](const std::string&) {};
        needs.maintenance = [] { return std::string("{}"); };
        needs.list_tokens = [] { return std::string("{}"); };
        needs.add_token = [](const std::string&) { return std::string("{}"); };
        needs.revoke_token = [](const std::string&) { return true; };
        needs.accept_key = [this] {
            const std::lock_guard lock(upstream_.mutex);
            ++upstream_.accepted_keys;
        };
        server_ = std::make_unique<Server>(std::move(options), std::move(needs));
        host_ = server_->addresses().front();
        const auto digits = host_.substr(host_.rfind(':') + 1);
        std::from_chars(digits.data(), digits.data() + digits.size(), port_);
    }

    ::support::Headers all(::support::Headers more = {}) const
    {
        more.emplace_back("Host", host_);
        more.emplace_back("API-KEY", "the-key");
        return more;
    }
    ::support::HttpReply get(std::string_view target, const ::support::Headers& more = {})
    {
        return ::support::http(port_, "GET", target, all(more));
    }
    ::support::HttpReply send(std::string_view method, std::string_view target, const ::support::Headers& more = {},
                              std::string_view body = {})
    {
        return ::support::http(port_, method, target, all(more), body);
    }

    template <class F>
    void write(F function)
    {
        run_to_end(store_.write(std::move(function)));
    }

    /// A conversation of `chats` chats, one a second, the last at `seconds`.
    void put(const std::string& id, std::int64_t seconds, int chats,
             const nlohmann::json& more = nlohmann::json::object())
    {
        std::vector<Chat> made;
        for (int n = 0; n < chats; ++n)
            made.push_back(
                support::make_chat(id, n, seconds - chats + 1 + n, "chat " + std::to_string(n) + " of " + id));
        const Conversation conversation = support::make_conversation(id, chats > 0 ? seconds : 0, more);
        write([&](cache::Writer& db) {
            cache::put_conversation(db, conversation);
            cache::put_chats(db, conversation.id, 0, made);
        });
    }

    /// The mirror is complete from `from` to `through`, as verified at 1990.
    void cover(std::int64_t from, std::int64_t through)
    {
        write([&](cache::Writer& db) {
            const Instant verified = support::at_second(1990);
            cache::cover(db, {support::at_second(from), support::at_second(through), verified});
            cache::Progress progress;
            progress.unit = TimeUnit::seconds;
            progress.verified_at = verified;
            if (from == 0) progress.chatless_at = verified;
            cache::save_progress(db, progress);
        });
    }

    std::function<void(std::uint64_t)> count_steps_;
    support::TempDir dir_;
    cache::Store store_{{.mirror_path = dir_ / "mirror.db",
                         .url = "http://upstream.test",
                         .threads = true,
                         .count_steps = count_steps_}};
    SetClock clock_;
    FakeUpstream upstream_;
    FakeDelivery delivery_;
    std::function<std::string(const MeterRack&)> metrics_ = [](const MeterRack&) { return std::string(); };
    std::function<std::unique_ptr<upstream::Exchanges>(asio::any_io_executor)> connect_ =
        [this](const asio::any_io_executor&) { return std::make_unique<FakeExchanges>(upstream_); };
    std::unique_ptr<Server> server_;
    std::string host_;
    std::uint16_t port_ = 0;
};

} // namespace alli::proxy
