// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/counted_chats.hpp"

#include "cache/chats/packed_facts.hpp"
#include "cache/db/chat_text_key.hpp"

#include <algorithm>
#include <limits>
#include <vector>

namespace alli::cache {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct Keys { // of rows in time, both included
    std::int64_t low, high;
};

// A chat's key is the second it was sent in or a little later, unless it is displaced (schema step 0020).
Keys keys_of(const TimeRange& range)
{
    const auto second = [](Instant when) {
        return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
    };
    return {range.from ? second(*range.from) : lowest, range.to ? second(*range.to) + 3601 : highest};
}

// Of much of a mirror it is faster to look at all rows in their order.
bool is_wide(Reader& db, Keys keys)
{
    const auto first = db.one<std::int64_t>("SELECT min(pk) FROM chat_row");
    const auto last = db.one<std::int64_t>("SELECT max(pk) FROM chat_row");
    if (!first) return true;
    keys = {std::max(keys.low, *first), std::min(keys.high, *last)};
    return keys.high - keys.low > (*last - *first) / 5;
}

/// The question that an answer is to, for rows in the order of their places.
class Questions {
  public:
    explicit Questions(Reader& db) : db_(db) {}

    void pass(std::int64_t place, CountedChat& chat)
    {
        const bool follows = place == last_ + 1 && conversation_of_key(place) == conversation_of_key(last_);
        last_ = place;
        const bool answers = (chat.facts & fact::answer) != 0;
        if (!answers)
            has_ = true, pk_ = chat.pk, sent_at_ = chat.sent_at;
        else if (!follows)
            look_up(place);
        chat.has_question = answers && has_;
        chat.question = pk_, chat.asked_at = sent_at_;
    }

  private:
    void look_up(std::int64_t place)
    {
        has_ = false;
        if (ordinal_of_key(place) == 0) return;
        for (const Row row : db_.query("SELECT pk, sent_at FROM chat_row WHERE place >= ?1 AND place < ?2"
                                       " AND facts & 1 = 0 ORDER BY place DESC LIMIT 1",
                                       chat_text_key(conversation_of_key(place), 0), place))
            has_ = true, pk_ = row.integer(0), sent_at_ = row.optional_instant(1);
    }

    Reader& db_;
    std::int64_t last_ = lowest, pk_ = 0;
    bool has_ = false;
    std::optional<Instant> sent_at_;
};

CountedChat read_counted(const Row& row) // place, pk, sent_at, facts
{
    return {row.integer(1), conversation_of_key(row.integer(0)), row.optional_instant(2), row.integer(3), false, 0, {}};
}

void visit_rows(Questions& questions, Rows&& rows, const TimeRange& range, const TakeChat& take)
{
    for (const Row row : rows) {
        if (row.is_null(3)) continue;
        CountedChat chat = read_counted(row);
        questions.pass(row.integer(0), chat);
        if (range.contains(chat.sent_at)) take(chat);
    }
}

std::vector<std::int64_t> find_places(Reader& db, const TimeRange& range, Keys keys)
{
    auto places = db.all<std::int64_t>("SELECT place FROM chat_row INDEXED BY chat_by_pk WHERE pk >= ?1 AND pk <= ?2",
                                       keys.low, keys.high);
    for (const Row row : db.query("SELECT place FROM chat_row INDEXED BY chat_displaced WHERE"
                                  " (sent_after >= 1000000 OR sent_after < -3600000000)"
                                  " AND sent_at >= ?1 AND sent_at < ?2",
                                  range.from.value_or(Instant::min()), range.to.value_or(Instant::max())))
        places.push_back(row.integer(0));
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    return places;
}

} // namespace

void visit_chats(Reader& db, const TimeRange& range, const TakeChat& take)
{
    const Keys keys = keys_of(range);
    Questions questions(db);
    if (range.is_all() || is_wide(db, keys))
        return visit_rows(questions, db.query("SELECT place, pk, sent_at, facts FROM chat_row ORDER BY place"), range,
                          take);
    const auto places = find_places(db, range, keys);
    for (auto first = places.begin(); first != places.end();) {
        auto last = first; // of those that follow each other
        while (std::next(last) != places.end() && *std::next(last) == *last + 1) ++last;
        const char* of =
            "SELECT place, pk, sent_at, facts FROM chat_row WHERE place >= ?1 AND place <= ?2 ORDER BY place";
        visit_rows(questions, db.query(of, *first, *last), range, take);
        first = std::next(last);
    }
}

void visit_timeless_chats(Reader& db, const TakeChat& take)
{
    Questions questions(db);
    visit_rows(questions,
               db.query("SELECT place, pk, sent_at, facts FROM chat_row INDEXED BY chat_timeless"
                        " WHERE sent_after IS NULL ORDER BY place"),
               {}, take);
}

} // namespace alli::cache
