// SPDX-License-Identifier: Apache-2.0
#include "cache/owner.hpp"

#include "cache/conversations.hpp"

#include <array>

namespace alli::cache {
namespace {

// Rows are numbered by the second of sending, or by the next free number: few have to be looked at.
constexpr std::int64_t most_looked_at = 64;

bool is_known_elsewhere(Reader& db, std::int64_t conversation, const Chat& chat)
{
    if (!chat.sent_at) return false;
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(*chat.sent_at).time_since_epoch().count();
    bool elsewhere = false;
    for (const Row row : db.query("SELECT conversation FROM chat_row WHERE pk >= ?1 AND pk < ?2 AND id = ?3"
                                  " AND sent_at = ?4",
                                  second, second + most_looked_at, chat.id.value, *chat.sent_at)) {
        if (row.integer(0) == conversation) return false;
        elsewhere = true;
    }
    return elsewhere;
}

} // namespace

bool is_known_elsewhere(Reader& db, const ConversationId& id, std::span<const Chat> chats)
{
    if (chats.empty()) return false;
    const std::int64_t conversation = find_pk(db, id).value_or(-1);
    for (const std::size_t at : std::array{std::size_t{0}, chats.size() / 2, chats.size() - 1})
        if (is_known_elsewhere(db, conversation, chats[at])) return true;
    return false;
}

} // namespace alli::cache
