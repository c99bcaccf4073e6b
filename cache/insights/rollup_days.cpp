// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/rollup_days.hpp"

#include "alli/error.hpp"
#include "cache/chats/facts.hpp"
#include "cache/chats/segment.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

using Days = std::chrono::duration<std::int64_t, std::ratio<86'400>>;

Instant start_of(std::int64_t day)
{
    return Instant{std::chrono::duration_cast<Instant::duration>(Days(day))};
}

struct DayRange { // whole days: from is included, to is not
    std::int64_t from = std::numeric_limits<std::int64_t>::min(), to = std::numeric_limits<std::int64_t>::max();
};

DayRange whole_days(const TimeRange& range)
{
    DayRange days;
    if (range.from) days.from = std::chrono::ceil<Days>(range.from->time_since_epoch()).count();
    if (range.to) days.to = std::chrono::floor<Days>(range.to->time_since_epoch()).count();
    return days;
}

/// Where a conversation is one of those that count.
class Chosen {
  public:
    explicit Chosen(const std::vector<std::int64_t>* conversations) : conversations_(conversations) {}
    bool has(std::int64_t conversation) const
    {
        return !conversations_ || std::binary_search(conversations_->begin(), conversations_->end(), conversation);
    }

  private:
    const std::vector<std::int64_t>* conversations_;
};

void count_conversations(Reader& db, const TimeRange& range, const std::function<void(const Row&)>& take)
{
    constexpr std::string_view all = "SELECT pk, created_at FROM conversation INDEXED BY conversation_by_creation",
                               some = "SELECT pk, created_at FROM conversation INDEXED BY conversation_by_creation"
                                      " WHERE created_at >= ?1 AND created_at < ?2";
    Rows rows = range.is_all() ? db.query(all)
                               : db.query(some, range.from.value_or(Instant::min()), range.to.value_or(Instant::max()));
    while (rows.step()) take(rows.row());
}

std::string count_timeless(Reader& db, GroupKeys& keys)
{
    RollupBuilder builder;
    visit_timeless_chats(db, [&](const CountedChat& chat) { builder.add_chat(chat, keys.of(chat.conversation)); });
    for (const std::int64_t pk : db.all<std::int64_t>("SELECT pk FROM conversation WHERE created_at IS NULL"))
        builder.add_conversation(std::nullopt, keys.of(pk));
    return builder.finish();
}

// Compressed, with a checksum: as a segment of one text (cache/chats/segment.hpp).
std::string pack(std::string_view rollup)
{
    const PackedChat one{"", rollup};
    return pack_segment({&one, 1});
}

std::string unpack(Reader& db, std::string_view packed)
{
    try {
        const UnpackedSegment one(packed);
        if (one.chats().size() != 1) throw DamagedSegment();
        return std::string(one.chats().front().raw);
    } catch (const DamagedSegment&) {
        throw Error(Fault::damaged, "restart the program (serve, or sync): a damaged file is set aside and made anew",
                    "{} is damaged: the figures of a day cannot be unpacked", db.path());
    }
}

// One count for days that follow each other.
void count_days(Reader& db, GroupKeys& keys, const std::vector<std::int64_t>& days, std::vector<std::string>& rollups)
{
    for (auto day = days.begin(); day != days.end();) {
        const std::int64_t first = *day;
        std::int64_t end = first;
        for (; day != days.end() && *day == end; ++day) ++end;
        rollups.push_back(count_rollup(db, keys, {start_of(first), start_of(end)}));
    }
}

} // namespace

std::string count_rollup(Reader& db, GroupKeys& keys, const TimeRange& range,
                         const std::vector<std::int64_t>* conversations)
{
    RollupBuilder builder;
    const Chosen chosen(conversations);
    count_conversations(db, range, [&](const Row& row) {
        if (chosen.has(row.integer(0))) builder.add_conversation(row.optional_instant(1), keys.of(row.integer(0)));
    });
    visit_chats(db, range, [&](const CountedChat& chat) {
        if (chosen.has(chat.conversation)) builder.add_chat(chat, keys.of(chat.conversation));
    });
    return builder.finish();
}

std::vector<std::string> load_rollups(Reader& db, GroupKeys& keys, const TimeRange& range)
{
    const DayRange days = whole_days(range);
    if (days.from >= days.to) return {count_rollup(db, keys, range)};
    const auto stale = db.all<std::int64_t>("SELECT day FROM insight_stale WHERE day >= ?1 AND day < ?2 ORDER BY day",
                                            days.from, days.to);
    const auto kept =
        db.require<std::int64_t>("SELECT count(*) FROM insight_day WHERE day >= ?1 AND day < ?2", days.from, days.to);
    if (std::ssize(stale) > kept) return {count_rollup(db, keys, range)};
    std::vector<std::string> rollups;
    for (const Row row :
         db.query("SELECT body FROM insight_day WHERE day >= ?1 AND day < ?2 ORDER BY day", days.from, days.to))
        rollups.push_back(unpack(db, row.text(0)));
    count_days(db, keys, stale, rollups);
    if (range.is_all()) rollups.push_back(count_timeless(db, keys));
    if (range.from && *range.from < start_of(days.from))
        rollups.push_back(count_rollup(db, keys, {range.from, start_of(days.from)}));
    if (range.to && start_of(days.to) < *range.to)
        rollups.push_back(count_rollup(db, keys, {start_of(days.to), range.to}));
    return rollups;
}

std::int64_t count_stale_days(Reader& db)
{
    return db.require<std::int64_t>("SELECT count(*) FROM insight_stale");
}

bool extend_rollups(Writer& db)
{
    if (find_fact_bound(db)) return false;
    const auto day = db.one<std::int64_t>("SELECT max(day) FROM insight_stale");
    if (!day) return false;
    GroupKeys keys(db);
    const std::string rollup = count_rollup(db, keys, {start_of(*day), start_of(*day + 1)});
    db.run("INSERT INTO insight_day (day, body) VALUES (?1, CAST(?2 AS BLOB))", *day, pack(rollup));
    db.run("DELETE FROM insight_stale WHERE day = ?1", *day);
    return true;
}

} // namespace alli::cache
