// SPDX-License-Identifier: Apache-2.0
// A server over a real store, and behind it an upstream that answers what a test tells it to.
#pragma once

#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/progress.hpp"
#include "cache/store.hpp"
#include "proxy/server.hpp"
#include "tests/proxy/fake_backend.hpp"
#include "tests/support/http_client.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <charconv>

namespace alli::proxy {

/// A wall clock that a test sets before the server reads it; waits are real.
class SetClock final : public Clock {
  public:
    Instant now() const override { return Instant{std::chrono::seconds{seconds}}; }
    Steady steady() const override { return system_.steady(); }
    Task<> sleep(std::chrono::nanoseconds pause) override { return system_.sleep(pause); }

    std::atomic<std::int64_t> seconds{2000};

  private:
    SystemClock system_;
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
        server_ = std::make_unique<Server>(std::move(options), backend_.over(store_, clock_));
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
        sync_wait(store_.write(std::move(function)));
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
    FakeBackend backend_{upstream_, delivery_};
    std::unique_ptr<Server> server_;
    std::string host_;
    std::uint16_t port_ = 0;
};

} // namespace alli::proxy
