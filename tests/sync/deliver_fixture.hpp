// SPDX-License-Identifier: Apache-2.0
// A deliverer over a real store, and behind it an upstream in memory that takes writes: no socket, no thread, no time.
#pragma once

#include "alli/error.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/progress.hpp"
#include "sync/delivery/deliverer.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

namespace alli::sync {

using nlohmann::json;

class WritableUpstream final : public upstream::Transport {
  public:
    explicit WritableUpstream(Clock& clock) : clock_(clock) {}

    std::map<std::string, json> conversations;
    std::map<std::string, json> chats; // by their ids
    std::set<std::string> running;
    std::vector<std::string> applied; // "method path body", in order
    std::vector<upstream::Request> requests;
    bool away = false;
    /// Instead of an answer, before anything is applied; may throw.
    std::function<std::optional<upstream::Reply>(const upstream::Request&)> before;
    /// What comes instead of the answer, after it was applied.
    std::function<void(const upstream::Request&, upstream::Reply&)> change;
    /// After it was applied; may throw.
    std::function<void(const upstream::Request&)> after;
    std::chrono::milliseconds takes{0};
    int under_way = 0, most_under_way = 0;

    Task<upstream::Reply> send(upstream::Request request) override
    {
        ++under_way;
        most_under_way = std::max(most_under_way, under_way);
        struct Leave {
            int& count;
            ~Leave() { --count; }
        } const leave{under_way};
        requests.push_back(request);
        if (takes.count() > 0) co_await clock_.sleep(takes);
        if (away) throw Error(Fault::unreachable, "wait", "upstream.test cannot be reached");
        if (before)
            if (auto reply = before(request)) co_return std::move(*reply);
        upstream::Reply reply = answer(request);
        if (after) after(request);
        if (change) change(request, reply);
        co_return reply;
    }

    static upstream::Reply says(int status, const std::string& body = "{}", const std::string& retry_after = "")
    {
        upstream::Reply reply;
        reply.status = status;
        // An error of the service's says so.
        reply.body = status >= 400 && body == "{}" ? R"({"type":"APIError","code":7000,"message":"no"})" : body;
        reply.headers.add("Content-Type", "application/json");
        if (!retry_after.empty()) reply.headers.add("Retry-After", retry_after);
        return reply;
    }

    std::size_t count(std::string_view method) const
    {
        return static_cast<std::size_t>(std::count_if(
            requests.begin(), requests.end(), [&](const upstream::Request& rq) { return rq.method == method; }));
    }

  private:
    upstream::Reply answer(const upstream::Request& request)
    {
        const std::string root = "/webapi/v2/conversations";
        const std::string path = request.target.substr(0, request.target.find('?'));
        if (path == root) return says(200, R"({"conversations":[],"cursor":null})");
        const std::string rest = path.substr(root.size() + 1);
        if (rest == "bulk_update") return bulk(request);
        const std::string id = rest.substr(0, rest.find('/'));
        if (!conversations.contains(id)) return says(404, R"({"code":7003,"message":"no such conversation"})");
        const std::string chat = rest.find("/chats/") == rest.npos ? "" : rest.substr(rest.find("/chats/") + 7, 2);
        if (request.method == "GET" && rest.ends_with("/running"))
            return says(200, running.contains(id) ? R"({"isRunning":true})" : R"({"isRunning":false})");
        if (request.method == "GET" && !chat.empty()) return says(200, chats[chat].dump());
        if (request.method == "GET") return says(200, conversations[id].dump());
        applied.push_back(request.method + ' ' + rest + ' ' + request.body);
        if (request.method == "DELETE") {
            conversations.erase(id);
            return says(200, "");
        }
        if (rest.ends_with("/stop")) {
            running.erase(id);
            return says(200, "");
        }
        const json body = json::parse(request.body);
        if (!chat.empty()) {
            for (const auto& [name, value] : body.items()) chats[chat][name] = value;
            return says(200, chats[chat].dump());
        }
        for (const auto& [name, value] : body.items()) conversations[id][name] = value;
        return says(200, conversations[id].dump());
    }

    upstream::Reply bulk(const upstream::Request& request)
    {
        applied.push_back("bulk " + request.body);
        const json body = json::parse(request.body);
        for (auto& [id, conversation] : conversations)
            for (const auto& [name, value] : body["conversationInfo"].items()) conversation[name] = value;
        return says(200, "");
    }

    Clock& clock_;
};

class DeliverTest : public testing::Test {
  protected:
    void SetUp() override
    {
        for (const char* id : {"a", "b", "c", "d", "e"}) {
            upstream_.conversations[id] = json::object(
                {{"id", id}, {"title", "old"}, {"createdAt", 1}, {"lastChatTime", 1000}, {"chats", json::array()}});
            mirror(id);
        }
        start();
    }
    void TearDown() override { stop(); }

    void mirror(const std::string& id)
    {
        TimeUnit unit = TimeUnit::seconds;
        const Conversation made = read_conversation(upstream_.conversations[id].dump(), unit);
        run(store_->write([&](cache::Writer& db) {
            cache::Progress progress = cache::load_progress(db);
            progress.unit = TimeUnit::seconds;
            cache::save_progress(db, progress);
            cache::put_conversation(db, made);
        }));
    }

    void start()
    {
        DeliveryHooks hooks{[this](const ConversationId& id) { changed_.push_back(id.value); },
                            [this] { ++changed_many_; }, begin_, settle_};
        deliverer_ = std::make_unique<Deliverer>(client_, *store_, clock_, random_, options_, hooks);
        running_ = true;
        asio::co_spawn(loop_, deliverer_->run(),
                       asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr) { running_ = false; }));
        support::run_until_idle(loop_);
    }
    void stop()
    {
        if (running_) cancel_.emit(asio::cancellation_type::terminal);
        support::run_until_idle(loop_);
        EXPECT_FALSE(running_);
        deliverer_.reset();
    }
    /// As SIGKILL does: nothing is written down any more.
    void die_and_start_again()
    {
        stop();
        // What an orderly stop wrote is undone.
        run(store_->write_outbox([](cache::Writer& db) {
            db.run("DELETE FROM fact WHERE name = 'stopped_in_order'");
            db.run("UPDATE entry SET state = 'sending' WHERE unclear = 1 AND state = 'pending'");
        }));
        start();
    }

    template <class T>
    T run(Task<T> task)
    {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr why, T made) {
            failure = why;
            result = std::move(made);
        });
        support::run_until_idle(loop_);
        if (failure) std::rethrow_exception(failure);
        EXPECT_TRUE(result);
        return std::move(*result);
    }
    void run(Task<> task)
    {
        std::exception_ptr failure;
        asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr why) { failure = why; });
        support::run_until_idle(loop_);
        if (failure) std::rethrow_exception(failure);
    }

    struct Offered { // shared with the coroutine that waits
        bool done = false;
        std::optional<upstream::Reply> reply;
    };

    cache::NewEntry write_of(cache::EditKind kind, const std::string& id, const std::string& body)
    {
        cache::NewEntry entry;
        entry.kind = kind;
        const std::string root = "/webapi/v2/conversations/";
        const bool bulk = kind == cache::EditKind::bulk_update;
        if (!bulk) entry.conversation = ConversationId{id};
        entry.method = kind == cache::EditKind::remove         ? "DELETE"
                       : bulk || kind == cache::EditKind::stop ? "POST"
                       : kind == cache::EditKind::feedback     ? "POST"
                                                               : "PUT";
        entry.path = bulk ? root + "bulk_update" : root + id + (kind == cache::EditKind::title ? "/title" : "");
        if (kind == cache::EditKind::stop) entry.path += "/stop";
        if (kind == cache::EditKind::feedback) {
            entry.chat = ChatId{id + "1"};
            entry.path += "/chats/" + id + "1/feedback";
            upstream_.chats.try_emplace(id + "1", json::object({{"id", id + "1"}, {"rating", nullptr}}));
        }
        entry.headers = R"({"OWN-USER-ID":"me"})";
        entry.body = body;
        entry.upstream_key = "key " + std::to_string(++keys_);
        entry.request_hash = entry.upstream_key;
        entry.created_at = clock_.now();
        if (kind == cache::EditKind::title || kind == cache::EditKind::update)
            entry.base = store_->read([&](cache::Reader& db) {
                return cache::find_base(db, ConversationId{id}, cache::patch_of(kind, body));
            });
        return entry;
    }

    cache::AcceptedWrite accept(const cache::NewEntry& entry)
    {
        cache::Acceptance accepted;
        run(store_->write_outbox([&](cache::Writer& db) { accepted = cache::accept(db, entry); }));
        last_ = accepted.id;
        return cache::accepted_write(entry, accepted);
    }
    std::shared_ptr<Offered> begin(cache::AcceptedWrite made, std::chrono::milliseconds patience)
    {
        auto offered = std::make_shared<Offered>();
        asio::co_spawn(loop_, deliverer_->offer(std::move(made), patience),
                       [offered](std::exception_ptr failure, std::optional<upstream::Reply> reply) {
                           if (failure) return;
                           offered->done = true;
                           offered->reply = std::move(reply);
                       });
        return offered;
    }
    /// Accepted and offered, as the proxy does.
    std::shared_ptr<Offered> offer(const cache::NewEntry& entry,
                                   std::chrono::milliseconds patience = std::chrono::seconds(10))
    {
        auto offered = begin(accept(entry), patience);
        support::run_until_idle(loop_);
        return offered;
    }
    std::shared_ptr<Offered> title(const std::string& id, const std::string& text)
    {
        return offer(write_of(cache::EditKind::title, id, json{{"title", text}}.dump()));
    }

    cache::Entry entry(std::int64_t id)
    {
        const auto found = store_->read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
        EXPECT_TRUE(found);
        return found.value_or(cache::Entry{});
    }
    cache::OutboxCounts counts()
    {
        return store_->read_outbox([](cache::Reader& db) { return cache::count_entries(db); });
    }
    std::string mirrored_title(const std::string& id)
    {
        const auto found =
            store_->read([&](cache::Reader& db) { return cache::find_conversation(db, ConversationId{id}); });
        return found ? json::parse(*found)["title"].get<std::string>() : "(gone)";
    }
    std::int64_t feed_place()
    {
        return store_->read([](cache::Reader& db) { return cache::load_feed_bounds(db).last; });
    }
    /// Of which conversations; "": of none alone.
    std::vector<std::string> outbox_rows_after(std::int64_t place)
    {
        std::vector<std::string> ids;
        for (const cache::Change& change :
             store_->read([&](cache::Reader& db) { return cache::load_changes(db, place, 1000); }))
            if (change.kind == "outbox") ids.push_back(change.conversation.value);
        return ids;
    }
    bool until(const std::function<bool()>& done, std::size_t jumps = 2000)
    {
        return support::run_jumping(loop_, clock_, done, jumps);
    }
    bool all_settled() { return counts().pending == 0; }

    support::TempDir dir_;
    support::FakeClock clock_;
    SeededRandom random_{7};
    std::unique_ptr<cache::Store> store_ =
        std::make_unique<cache::Store>(cache::StoreOptions{dir_ / "mirror.db", "http://127.0.0.1:1", false});
    WritableUpstream upstream_{clock_};
    upstream::RateLimiter pace_{clock_, {0, 16}};
    upstream::Client client_{upstream_, pace_, clock_, {"key", TimeUnit::seconds, "/count"}};
    DeliveryOptions options_;
    std::function<Task<bool>(Beginning)> begin_; // none: one machine alone
    std::function<Task<bool>(std::int64_t, cache::Outcome)> settle_;
    asio::io_context loop_;
    asio::cancellation_signal cancel_;
    std::unique_ptr<Deliverer> deliverer_;
    std::vector<std::string> changed_;
    int changed_many_ = 0, keys_ = 0;
    std::int64_t last_ = 0;
    bool running_ = false;
};

} // namespace alli::sync
