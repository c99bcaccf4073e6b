// SPDX-License-Identifier: Apache-2.0
// The rest of the program as the proxy sees it, in memory: an upstream that answers what a test tells it to, and a
// delivery that delivers nothing.
#pragma once

#include "alli/error.hpp"
#include "proxy/request/backend.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace alli::proxy {

/// Upstream as the proxy sees it. Its members are set before a request and read after its answer.
struct FakeUpstream {
    upstream::Reply reply{200, {{"Content-Type", "application/json"}}, R"({"from":"upstream"})"};
    bool away = false;
    std::optional<Fault> fails;                                 // with that, in the place of an answer
    std::map<std::string, upstream::Reply> replies;             // by target, before `reply`
    std::function<std::string(const std::string& target)> body; // of a 200, before all of them, where it is set
    UpstreamState state{"http://upstream.test", true, true, ""};
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
    FakeExchange(FakeUpstream& upstream, upstream::StreamRequest opening)
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
    std::unique_ptr<upstream::Exchange> open(upstream::StreamRequest opening) override
    {
        return std::make_unique<FakeExchange>(upstream_, std::move(opening));
    }

  private:
    FakeUpstream& upstream_;
};

/// Delivery as the proxy sees it: answers with `reply`, or lets every write wait.
struct FakeDelivery {
    std::optional<upstream::Reply> reply;
    bool awaited = false;
    std::vector<std::int64_t> offered;
    std::vector<std::chrono::milliseconds> patience;
    cache::RetryResult retried;
    cache::OperatorResult discarded = cache::OperatorResult::done;
    std::vector<std::int64_t> steered;
};

class FakeMaintenance final : public Maintenance {
  public:
    std::string start(const std::string&) override { return text; }
    std::optional<std::string> state(std::string_view) const override { return text; }

    std::string text = "{}";
};

/// Counts what is asked of the engine in FakeUpstream.
class FakeBackend : public UpstreamAccess, public SyncControl, public Delivery, public TokenAdmin, public Reports {
  public:
    FakeBackend(FakeUpstream& upstream, FakeDelivery& delivery) : upstream_(upstream), delivery_(delivery) {}

    Backend over(cache::Store& store, Clock& clock)
    {
        return {store, clock, *this, *this, *this, maintenance, *this, *this, cluster};
    }

    ClusterNode* cluster = nullptr;

    std::function<std::unique_ptr<upstream::Exchanges>(asio::any_io_executor)> connecting =
        [this](const asio::any_io_executor&) { return std::make_unique<FakeExchanges>(upstream_); };
    std::function<std::string(const RequestMetrics&)> metrics_text = [](const RequestMetrics&) {
        return std::string();
    };
    std::string status_text = R"({"version":"test"})";
    FakeMaintenance maintenance;

    Task<upstream::Reply> send(upstream::Request request) override
    {
        return FakeUpstream::answer(&upstream_, std::move(request));
    }
    std::unique_ptr<upstream::Exchanges> connect(asio::any_io_executor loop) override { return connecting(loop); }
    UpstreamState state() const override
    {
        const std::lock_guard lock(upstream_.mutex);
        return upstream_.state;
    }
    void report(const upstream::Outcome&) override {}

    void poll_soon() override { count(upstream_.wakes); }
    void try_upstream_now() override { count(upstream_.probes); }
    void accept_deletions() override { count(upstream_.accepted_deletions); }
    void accept_key() override { count(upstream_.accepted_keys); }
    void refresh_categories() override { count(upstream_.category_refreshes); }
    void refresh(ConversationId id) override
    {
        const std::lock_guard lock(upstream_.mutex);
        upstream_.woken.push_back(std::move(id.value));
    }
    void settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> before) override
    {
        const std::lock_guard lock(upstream_.mutex);
        upstream_.woken.push_back(std::move(id.value));
        upstream_.settles.push_back({fence, before});
    }

    Task<std::optional<upstream::Reply>> deliver(cache::AcceptedWrite write, std::chrono::milliseconds time) override
    {
        delivery_.offered.push_back(write.entry.id);
        delivery_.patience.push_back(time);
        co_return delivery_.reply;
    }
    Task<bool> is_awaited(std::int64_t) override { co_return delivery_.awaited; }
    Task<cache::RetryResult> retry(std::int64_t id) override
    {
        delivery_.steered.push_back(id);
        co_return delivery_.retried;
    }
    Task<cache::OperatorResult> discard(std::int64_t id) override
    {
        delivery_.steered.push_back(id);
        co_return delivery_.discarded;
    }

    std::string list() const override { return "{}"; }
    std::string add(const std::string&) const override { return "{}"; }
    bool revoke(const std::string&) const override { return true; }

    std::string status() override { return status_text; }
    std::string status_in_view(const cache::Visibility& visible) override
    {
        return R"({"of":")" + visible.app + visible.user + "\"}";
    }
    std::string metrics(const RequestMetrics& requests) override { return metrics_text(requests); }

  private:
    void count(int& calls)
    {
        const std::lock_guard lock(upstream_.mutex);
        ++calls;
    }

    FakeUpstream& upstream_;
    FakeDelivery& delivery_;
};

} // namespace alli::proxy
