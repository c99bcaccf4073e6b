// SPDX-License-Identifier: Apache-2.0
// The engine on a store in a temporary directory, a model of upstream and a fake clock, all in one thread.
#pragma once

#include "alli/error.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "sync/engine.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/sync/model.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::sync {

using nlohmann::json;
using namespace std::chrono_literals;

class EngineTest : public testing::Test {
  protected:
    EngineTest()
    {
        options_.clock_tolerance = std::chrono::years(1'000); // the model's times are of 1970, unless a test says else
    }

    /// One pass to completion; what it threw, if it did.
    void pass()
    {
        upstream::RateLimiter pace(clock_, {rate_, 4});
        upstream::Client client(model_, pace, clock_, {"key", unit_, "/count", variables_});
        Engine engine(client, *store_, clock_, random_, options_);
        asio::io_context loop;
        bool done = false;
        std::exception_ptr failure;
        std::function<void(const State&)> report = [this](const State&) {
            if (on_commit_) on_commit_();
        };
        asio::co_spawn(loop, engine.run_once(report), [&](std::exception_ptr why) {
            failure = why;
            done = true;
        });
        support::run_jumping(loop, clock_, [&] { return done; });
        state_ = *engine.state();
        if (failure) std::rethrow_exception(failure);
    }

    /// The engine as a daemon runs it, for a while.
    void run_for(std::chrono::nanoseconds time)
    {
        const auto end = clock_.passed() + time;
        run_until([&](Engine&) { return clock_.passed() >= end; }, 100'000);
    }

    /// The engine as a daemon runs it, until `done` says so; then it is cancelled.
    void run_until(std::function<bool(Engine&)> done, std::size_t jumps = 100)
    {
        upstream::RateLimiter pace(clock_, {rate_, 4});
        upstream::Client client(model_, pace, clock_, {"key", unit_, "/count", variables_});
        Engine engine(client, *store_, clock_, random_, options_);
        client.tell([&engine](const upstream::Outcome& outcome) { engine.heard(outcome); });
        asio::io_context loop;
        asio::cancellation_signal cancel;
        bool cancelled = false;
        auto ended = [&](std::exception_ptr why) { EXPECT_TRUE(cancelled || !why) << "the engine gave up"; };
        asio::co_spawn(loop, engine.run(), asio::bind_cancellation_slot(cancel.slot(), ended));
        EXPECT_TRUE(support::run_jumping(
            loop, clock_, [&] { return done(engine); }, jumps));
        cancelled = true;
        cancel.emit(asio::cancellation_type::terminal);
        support::run_until_idle(loop);
    }

    void reopen()
    {
        store_.reset();
        store_ = std::make_unique<cache::Store>(store_options());
    }

    cache::StoreOptions store_options() const { return {dir_ / "mirror.db", "http://model", false}; }

    void fill(int count)
    {
        for (int n = 0; n < count; ++n) model_.add("c" + std::to_string(n), 10'000 + n * 10, 1 + n % 30);
    }

    void expect_mirror_equals_model()
    {
        for (const auto& [id, entry] : model_.conversations) {
            const auto found = store_->read([&](cache::Reader& db) { return cache::find_conversation(db, {id}); });
            ASSERT_TRUE(found) << id;
            json whole = json::parse(*found);
            EXPECT_EQ(whole["chatCount"], entry.chats.size()) << id;
            json chats = json::array();
            for (int page = 1; page <= static_cast<int>(entry.chats.size() / 100) + 1; ++page) {
                const auto part = store_->read([&](cache::Reader& db) { return cache::find_chats(db, {id}, page); });
                for (const auto& chat : *part) chats.push_back(json::parse(chat));
            }
            EXPECT_EQ(chats, json(entry.chats)) << id;
        }
        EXPECT_EQ(store_->read([](cache::Reader& db) { return cache::count_totals(db); }).conversations,
                  static_cast<std::int64_t>(model_.conversations.size()));
    }

    std::vector<cache::Problem> problems()
    {
        return store_->read([](cache::Reader& db) { return cache::load_problems(db); });
    }

    bool holds(const std::string& id)
    {
        return store_->read([&](cache::Reader& db) { return cache::find_held(db, {id}); }).has_value();
    }

    bool complete()
    {
        return store_->read([](cache::Reader& db) { return cache::is_complete(db); });
    }

    Model model_;
    TimeUnit unit_ = TimeUnit::seconds;
    std::vector<std::string> variables_; // that lists are asked for
    support::FakeClock clock_;
    SeededRandom random_{7};
    support::TempDir dir_;
    Options options_;
    double rate_ = 0; // requests a second; 0: as many as can be
    std::unique_ptr<cache::Store> store_ = std::make_unique<cache::Store>(store_options());
    State state_;
    std::function<void()> on_commit_;
};

/// A mirror of sixty conversations. Upstream's clock goes with ours, and what is mirrored lies well in its past.
class Settled : public EngineTest {
  protected:
    void SetUp() override
    {
        model_.now = 100'000;
        fill(60);
        pass();
        advance(std::chrono::hours(1));
        pass();
    }

    void advance(std::chrono::seconds by)
    {
        clock_.advance(by);
        model_.now += by.count();
    }
};

} // namespace alli::sync
