// SPDX-License-Identifier: Apache-2.0
// A mirror whose times are in seconds, with writes that show in it.
#pragma once

#include "cache/lists/list.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/progress.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {

using nlohmann::json;

class OverlayTest : public CacheTest {
  protected:
    void SetUp() override
    {
        write([](Writer& db) {
            Progress progress;
            progress.unit = TimeUnit::seconds;
            progress.list_embeds = 20;
            save_progress(db, progress);
        });
    }

    static Entry entry_of(std::int64_t id, EditKind kind, const std::string& conversation, const std::string& body = "")
    {
        Entry entry;
        entry.id = entry.place = id;
        entry.kind = kind;
        if (!conversation.empty()) entry.conversation = ConversationId{conversation};
        entry.body = body;
        return entry;
    }
    static Entry title(std::int64_t id, const std::string& conversation, const std::string& text)
    {
        return entry_of(id, EditKind::title, conversation, json{{"title", text}}.dump());
    }
    static Clock::Steady at(int seconds) { return Clock::Steady{std::chrono::seconds(seconds)}; }

    void show(const Entry& entry)
    {
        write([&](Writer& db) { show_edit(db, entry); });
    }
    void confirm(const Entry& entry, int seconds, const std::optional<std::string>& answer = std::nullopt)
    {
        write([&](Writer& db) { confirm_edit(db, entry, answer, at(seconds)); });
    }
    void confirm(const Entry& entry, const Confirmation& when, const std::optional<std::string>& answer = std::nullopt)
    {
        write([&](Writer& db) { confirm_edit(db, entry, answer, when); });
    }
    void drop(std::int64_t id)
    {
        write([&](Writer& db) { drop_edit(db, id); });
    }
    void forget()
    {
        write([](Writer& db) { forget_confirmed(db, Clock::Steady::max()); });
    }
    /// Upstream's answer to a request made at that second arrives.
    void come(const std::string& id, int asked, const json& more)
    {
        Conversation conversation = support::make_conversation(id, 1000, more);
        if (asked >= 0) conversation.asked_at = at(asked);
        write([&](Writer& db) { put_conversation(db, conversation); });
    }

    json one(const std::string& id)
    {
        const auto found = store_->read([&](Reader& db) { return find_conversation(db, ConversationId{id}); });
        return found ? json::parse(*found) : json();
    }
    std::string raw(const std::string& id)
    {
        return store_->read([&](Reader& db) { return find_conversation(db, ConversationId{id}); }).value_or("");
    }
    std::vector<std::string> listed(const ListFilter& filter = {})
    {
        std::vector<std::string> ids;
        const auto page = store_->read([&](Reader& db) { return list_conversations(db, filter, 50, std::nullopt); });
        const json body = json::parse(page.body + "]}");
        for (const json& item : body["conversations"]) ids.push_back(item["id"]);
        return ids;
    }
    std::int64_t hits(const std::string& words)
    {
        SearchQuery query;
        query.text = words;
        return store_->read([&](Reader& db) { return search(db, query); }).total;
    }
    std::int64_t left(const std::string& table)
    {
        return store_->read([&](Reader& db) {
            Rows rows = db.query("SELECT count(*) FROM " + table);
            rows.step();
            return rows.row().integer(0);
        });
    }
};

} // namespace alli::cache
