// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/chat_owner.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
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
    const std::array samples{sample_of(chats.front()), sample_of(chats[chats.size() / 2]), sample_of(chats.back())};
    const auto& [a, b, c] = samples;
    const auto read = [](const Row& row) { return std::pair(row.integer(0), row.integer(1)); };
    const auto sent_then = db.all(read,
                                  "SELECT 0, place FROM chat_row WHERE pk >= ?1 AND pk < ?1 + 64 AND sent_at = ?2"
                                  " UNION ALL "
                                  "SELECT 1, place FROM chat_row WHERE pk >= ?3 AND pk < ?3 + 64 AND sent_at = ?4"
                                  " UNION ALL "
                                  "SELECT 2, place FROM chat_row WHERE pk >= ?5 AND pk < ?5 + 64 AND sent_at = ?6",
                                  a.second, a.sent_at, b.second, b.sent_at, c.second, c.sent_at);
    std::array<bool, 3> elsewhere{}, own{};
    for (const auto& [n, key] : sent_then) {
        const auto sample = static_cast<std::size_t>(n);
        const auto text = find_text_at(db, key);
        if (!text || text->id != samples[sample].id) continue;
        (find_pk(db, id) == conversation_of_key(key) ? own : elsewhere)[sample] = true;
    }
    for (std::size_t n = 0; n < own.size(); ++n)
        if (elsewhere[n] && !own[n]) return true;
    return false;
}

} // namespace alli::cache
