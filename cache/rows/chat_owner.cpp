// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/chat_owner.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/rows/conversation_rows.hpp"

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

// Whose chats these are, by their keys: of those that were sent at that time, one a key.
std::vector<std::int64_t> find_keys(Reader& db, const Sample& sample)
{
    return db.all<std::int64_t>("SELECT place FROM chat_row WHERE pk >= ?1 AND pk < ?1 + 64 AND sent_at = ?2",
                                sample.second, sample.sent_at);
}

} // namespace

// Rows are numbered by the second of sending, or by the next free number: within 64 of it nearly all are found.
bool is_known_elsewhere(Reader& db, const ConversationId& id, std::span<const Chat> chats)
{
    if (chats.empty()) return false;
    for (const Chat* chat : {&chats.front(), &chats[chats.size() / 2], &chats.back()}) {
        const Sample sample = sample_of(*chat);
        bool elsewhere = false, own = false;
        for (const std::int64_t key : find_keys(db, sample)) {
            const auto text = find_text_at(db, key);
            if (!text || text->id != sample.id) continue;
            (find_pk(db, id) == conversation_of_key(key) ? own : elsewhere) = true;
        }
        if (elsewhere && !own) return true;
    }
    return false;
}

} // namespace alli::cache
