// SPDX-License-Identifier: Apache-2.0
#include "cache/chat_detail.hpp"

#include "alli/quick_hash.hpp"
#include "cache/outbox/overlay.hpp"

namespace alli::cache {
namespace {

std::int64_t stored(std::uint64_t mark)
{
    return static_cast<std::int64_t>(mark);
}

} // namespace

std::optional<FoundChat> find_chat(Reader& db, const ConversationId& id, const ChatId& chat)
{
    for (const Row row : db.query("SELECT chat.raw, completed, of, detail.raw FROM chat"
                                  " LEFT JOIN chat_detail AS detail ON detail.chat = chat.pk"
                                  " WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1) AND id = ?2",
                                  id.value, chat.value)) {
        const std::string_view raw = row.text(0);
        FoundChat found{std::string(), quick_hash(raw)};
        found.grows = row.integer(1) == 0;
        found.whole = !found.grows && !row.is_null(2) && row.integer(2) == stored(found.of);
        found.raw = found.whole && !row.is_null(3) ? row.text(3) : raw;
        if (shows_edit(db, id, chat)) { // what upstream tells now lacks it
            found.whole = true;
            found.raw = raw;
        }
        return found;
    }
    return std::nullopt;
}

bool put_chat_detail(Writer& db, const ConversationId& id, const ChatId& chat, std::uint64_t of, const std::string& raw)
{
    if (shows_edit(db, id, chat)) return false; // it may be from before that
    const auto page = db.one<std::tuple<std::int64_t, std::int64_t, std::string>>(
        "SELECT pk, conversation, raw FROM chat"
        " WHERE conversation = (SELECT pk FROM conversation WHERE id = ?1) AND id = ?2",
        id.value, chat.value);
    if (!page) return false;
    const auto& [pk, conversation, page_raw] = *page;
    if (quick_hash(page_raw) != of) return false;
    db.change_set().conversation(conversation);
    db.run("INSERT INTO chat_detail (chat, of, raw) VALUES (?1, ?2, ?3)"
           " ON CONFLICT (chat) DO UPDATE SET of = ?2, raw = ?3",
           pk, stored(of), page_raw != raw ? std::optional(raw) : std::nullopt);
    return true;
}

} // namespace alli::cache
