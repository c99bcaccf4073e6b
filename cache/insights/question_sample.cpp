// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/question_sample.hpp"

#include "alli/quick_hash.hpp"
#include "cache/chats/packed_facts.hpp"
#include "cache/db/chat_text_key.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace alli::cache {
namespace {

constexpr std::int64_t most_rows = 10'000;       // that are read for a sample
constexpr std::int64_t most_rows_of_one = 1'000; // some conversations are very long

/// Of the conversations in turn, each from its end or from what is older than `before`, the chats in time.
template <class Take>
void visit_newest(Reader& db, const std::vector<std::int64_t>& conversations, const std::optional<Instant>& before,
                  const Take& take)
{
    std::int64_t left = most_rows;
    for (const std::int64_t conversation : conversations)
        for (const Row row : db.query("SELECT place, facts, sent_at FROM chat_row WHERE place >= ?1 AND place < ?2"
                                      " AND facts IS NOT NULL AND (?3 IS NULL OR sent_at < ?3)"
                                      " ORDER BY place DESC LIMIT ?4",
                                      chat_text_key(conversation, 0), chat_text_key(conversation + 1, 0), before,
                                      std::min(left, most_rows_of_one))) {
            take(conversation, row.integer(0), row.integer(1), row.optional_instant(2));
            --left;
        }
}

} // namespace

void ConversationSample::add(std::int64_t conversation, std::int64_t count)
{
    if (count == 0) return;
    const auto bytes = std::bit_cast<std::array<char, sizeof conversation>>(conversation);
    const std::uint64_t hash = quick_hash({bytes.data(), bytes.size()});
    if (sum_ >= enough_ && kept_.top().hash < hash) return;
    kept_.push({hash, conversation, count});
    for (sum_ += count; sum_ - kept_.top().count >= enough_; kept_.pop()) sum_ -= kept_.top().count;
}

std::vector<std::int64_t> ConversationSample::keys() const
{
    std::vector<std::int64_t> keys;
    for (auto left = kept_; !left.empty(); left.pop()) keys.push_back(left.top().conversation);
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end()); // what came again lies side by side
    std::reverse(keys.begin(), keys.end());
    return keys;
}

void QuestionSample::add(std::int64_t conversation, std::int64_t questions, std::int64_t bad_answers)
{
    all_.add(conversation, questions);
    bad_.add(conversation, bad_answers);
}

QuestionSample::Keys QuestionSample::find(Reader& db, const TimeRange& range) const
{
    KeySample all, bad;
    visit_newest(db, all_.keys(), range.to,
                 [&](std::int64_t, std::int64_t place, std::int64_t facts, const std::optional<Instant>& when) {
                     if ((facts & fact::answer) == 0 && range.contains(when)) all.add(place);
                 });
    std::int64_t of = 0, answers = 0; // that are waiting for their question
    visit_newest(
        db, bad_.keys(), std::nullopt, // its question may bear any time
        [&](std::int64_t conversation, std::int64_t place, std::int64_t facts, const std::optional<Instant>& when) {
            if (conversation != of) of = conversation, answers = 0;
            if ((facts & fact::answer) != 0)
                answers += (facts & fact::bad) != 0 && range.contains(when) ? 1 : 0;
            else
                for (; answers > 0; --answers) bad.add(place);
        });
    return {bad.keys(), all.keys()};
}

} // namespace alli::cache
