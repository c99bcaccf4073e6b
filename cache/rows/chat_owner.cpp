// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/chat_owner.hpp"

#include "cache/rows/conversation_rows.hpp"

#include <array>

namespace alli::cache {
namespace {

struct Sample { // a chat to look for; none where nothing tells when it was sent
    std::optional<std::int64_t> second;
    std::string_view id;
    std::optional<Instant> sent_at;
};

Sample sample_of(const Chat& chat)
{
    Sample sample{std::nullopt, chat.id.value, chat.sent_at};
    if (chat.sent_at)
        sample.second = std::chrono::floor<std::chrono::seconds>(*chat.sent_at).time_since_epoch().count();
    return sample;
}

} // namespace

// Rows are numbered by the second of sending, or by the next free number: within 64 of it nearly all are found.
bool is_known_elsewhere(Reader& db, const ConversationId& id, std::span<const Chat> chats)
{
    if (chats.empty()) return false;
    const Sample a = sample_of(chats.front()), b = sample_of(chats[chats.size() / 2]), c = sample_of(chats.back());
    std::array<bool, 3> elsewhere{}, own{};
    for (const Row row :
         db.query("SELECT n, held IS (SELECT pk FROM conversation WHERE id = ?1) FROM ("
                  "SELECT 0 AS n, conversation AS held FROM chat_row"
                  " WHERE pk >= ?2 AND pk < ?2 + 64 AND id = ?3 AND sent_at = ?4 UNION ALL "
                  "SELECT 1, conversation FROM chat_row WHERE pk >= ?5 AND pk < ?5 + 64 AND id = ?6 AND sent_at = ?7 "
                  "UNION ALL "
                  "SELECT 2, conversation FROM chat_row WHERE pk >= ?8 AND pk < ?8 + 64 AND id = ?9 AND sent_at = ?10)",
                  id.value, a.second, a.id, a.sent_at, b.second, b.id, b.sent_at, c.second, c.id, c.sent_at)) {
        const auto n = static_cast<std::size_t>(row.integer(0));
        (row.integer(1) != 0 ? own : elsewhere)[n] = true;
    }
    for (std::size_t n = 0; n < own.size(); ++n)
        if (elsewhere[n] && !own[n]) return true;
    return false;
}

} // namespace alli::cache
