// SPDX-License-Identifier: Apache-2.0
// A store without threads on a directory of its own: real SQLite, nothing mocked.
#pragma once

#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/store.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

namespace alli::cache {

class CacheTest : public testing::Test {
  protected:
    /// Runs one write to its end and throws what it threw.
    template <class F>
    void write(F function)
    {
        sync_wait(store_->write(std::move(function)));
    }

    /// Puts a conversation of `chats` chats, one a second, the last at `seconds`.
    void put(const std::string& id, std::int64_t seconds, int chats,
             const nlohmann::json& more = nlohmann::json::object())
    {
        std::vector<Chat> made;
        for (int n = 0; n < chats; ++n)
            made.push_back(
                support::make_chat(id, n, seconds - chats + 1 + n, "chat " + std::to_string(n) + " of " + id));
        const Conversation conversation = support::make_conversation(id, chats > 0 ? seconds : 0, more);
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, made);
        });
    }

    void reopen()
    {
        store_.reset();
        store_ = std::make_unique<Store>(options());
    }

    StoreOptions options() const { return {dir_ / "mirror.db", "http://127.0.0.1:1", false}; }

    support::TempDir dir_;
    std::unique_ptr<Store> store_ = std::make_unique<Store>(options());
};

} // namespace alli::cache
