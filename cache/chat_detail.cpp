// SPDX-License-Identifier: Apache-2.0
#include "cache/chat_detail.hpp"

#include "alli/quick_hash.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/chats/facts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/rows/conversation_rows.hpp"

namespace alli::cache {
namespace {

std::int64_t stored(std::uint64_t mark)
{
    return static_cast<std::int64_t>(mark);
}

struct PageChat { // as a page of chats has it
    std::int64_t key;
    std::string raw;
};

std::optional<PageChat> find_page_chat(Reader& db, const ConversationId& id, const ChatId& chat)
{
    const auto pk = find_pk(db, id);
    auto text = pk ? find_text(db, *pk, chat.value) : std::nullopt;
    if (!text) return std::nullopt;
    return PageChat{chat_text_key(*pk, text->ordinal), std::move(text->raw)};
}

} // namespace

std::optional<FoundChat> find_chat(Reader& db, const ConversationId& id, const ChatId& chat)
{
    const auto page = find_page_chat(db, id, chat);
    if (!page) return std::nullopt;
    for (const Row row : db.query("SELECT completed, of, detail.raw FROM chat_row"
                                  " LEFT JOIN chat_detail AS detail ON detail.chat = chat_row.pk WHERE place = ?1",
                                  page->key)) {
        FoundChat found{std::string(), quick_hash(page->raw)};
        found.grows = row.integer(0) == 0;
        found.whole = !found.grows && !row.is_null(1) && row.integer(1) == stored(found.of);
        found.raw = found.whole && !row.is_null(2) ? row.text(2) : page->raw;
        if (shows_edit(db, id, chat)) { // what upstream tells now lacks it
            found.whole = true;
            found.raw = page->raw;
        }
        return found;
    }
    return std::nullopt;
}

bool put_chat_detail(Writer& db, const ConversationId& id, const ChatId& chat, std::uint64_t of, const std::string& raw)
{
    if (shows_edit(db, id, chat)) return false; // it may be from before that
    const auto page = find_page_chat(db, id, chat);
    if (!page || quick_hash(page->raw) != of) return false;
    const auto pk = db.one<std::int64_t>("SELECT pk FROM chat_row WHERE place = ?1", page->key);
    if (!pk) return false;
    db.change_set().conversation(conversation_of_key(page->key));
    db.run("INSERT INTO chat_detail (chat, of, raw) VALUES (?1, ?2, ?3)"
           " ON CONFLICT (chat) DO UPDATE SET of = ?2, raw = ?3",
           *pk, stored(of), page->raw != raw ? std::optional(raw) : std::nullopt);
    note_steps(db, *pk, raw);
    return true;
}

} // namespace alli::cache
