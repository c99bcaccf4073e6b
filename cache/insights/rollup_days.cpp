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

Instant start_of(Quarter quarter)
{
    return Instant{std::chrono::duration_cast<Instant::duration>(quarter)};
}

struct QuarterRange { // whole quarters of an hour, of which kept figures can be taken: from is included, to is not
    Quarter from = Quarter::min(), to = Quarter::max();

    std::int64_t first_day() const { return std::chrono::floor<Days>(from).count(); }
    std::int64_t end_day() const { return std::chrono::ceil<Days>(to).count(); } // is not in it

    /// Of a rollup of the days from `first` to before `end`: all of it, or what lies in the range.
    RollupPart part_of(std::string stored, std::int64_t first, std::int64_t end) const
    {
        if (Days(first) >= from && Days(end) <= to) return {std::move(stored)};
        return {std::move(stored), from, to};
    }
};

QuarterRange whole_quarters(const TimeRange& range)
{
    QuarterRange quarters;
    if (range.from) quarters.from = std::chrono::ceil<Quarter>(range.from->time_since_epoch());
    if (range.to) quarters.to = std::chrono::floor<Quarter>(range.to->time_since_epoch());
    return quarters;
}

void count_conversations(Reader& db, const TimeRange& range, const std::function<void(const Row&)>& take)
{
    constexpr std::string_view all = "SELECT pk, created_at FROM conversation INDEXED BY conversation_by_creation",
                               some = "SELECT pk, created_at FROM conversation INDEXED BY conversation_by_creation"
                                      " WHERE created_at >= ?1 AND created_at < ?2";
    Rows rows = range.is_all() ? db.query(all)
                               : db.query(some, range.from.value_or(Instant::min()), range.to.value_or(Instant::max()));
    while (rows.step()) take(rows.row());
}

RollupBuilder builder_for(GroupKeys& keys)
{
    return RollupBuilder([&keys](std::int64_t conversation) -> const GroupNumbers& { return keys.of(conversation); });
}

std::string count_timeless(Reader& db, GroupKeys& keys)
{
    RollupBuilder builder = builder_for(keys);
    for (const std::int64_t pk : db.all<std::int64_t>("SELECT pk FROM conversation WHERE created_at IS NULL"))
        builder.add_conversation(pk, std::nullopt);
    visit_timeless_chats(db, [&](const CountedChat& chat) { builder.add_chat(chat); });
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
void count_days(Reader& db, GroupKeys& keys, const std::vector<std::int64_t>& days, const QuarterRange& within,
                std::vector<RollupPart>& parts)
{
    for (auto day = days.begin(); day != days.end();) {
        const std::int64_t first = *day;
        std::int64_t end = first;
        for (; day != days.end() && *day == end; ++day) ++end;
        parts.push_back(within.part_of(count_rollup(db, keys, {start_of(first), start_of(end)}), first, end));
    }
}

} // namespace

std::string count_rollup(Reader& db, GroupKeys& keys, const TimeRange& range)
{
    RollupBuilder builder = builder_for(keys);
    count_conversations(db, range,
                        [&](const Row& row) { builder.add_conversation(row.integer(0), row.optional_instant(1)); });
    visit_chats(db, range, [&](const CountedChat& chat) { builder.add_chat(chat); });
    return builder.finish();
}

std::vector<RollupPart> load_rollups(Reader& db, GroupKeys& keys, const TimeRange& range)
{
    const QuarterRange whole = whole_quarters(range);
    if (whole.from >= whole.to) return {{count_rollup(db, keys, range)}};
    const std::int64_t first = whole.first_day(), end = whole.end_day();
    const auto stale =
        db.all<std::int64_t>("SELECT day FROM insight_stale WHERE day >= ?1 AND day < ?2 ORDER BY day", first, end);
    const auto kept =
        db.require<std::int64_t>("SELECT count(*) FROM insight_day WHERE day >= ?1 AND day < ?2", first, end);
    if (std::ssize(stale) > kept) return {{count_rollup(db, keys, range)}};
    std::vector<RollupPart> parts;
    for (const Row row :
         db.query("SELECT body, day FROM insight_day WHERE day >= ?1 AND day < ?2 ORDER BY day", first, end))
        parts.push_back(whole.part_of(unpack(db, row.text(0)), row.integer(1), row.integer(1) + 1));
    count_days(db, keys, stale, whole, parts);
    if (range.is_all()) parts.push_back({count_timeless(db, keys)});
    if (range.from && *range.from < start_of(whole.from))
        parts.push_back({count_rollup(db, keys, {range.from, start_of(whole.from)})});
    if (range.to && start_of(whole.to) < *range.to)
        parts.push_back({count_rollup(db, keys, {start_of(whole.to), range.to})});
    return parts;
}

std::int64_t count_stale_days(Reader& db)
{
    return db.require<std::int64_t>("SELECT count(*) FROM insight_stale");
}

static std::size_t keep_day(Writer& db, GroupKeys& keys, std::int64_t day)
{
    const std::string rollup = count_rollup(db, keys, {start_of(day), start_of(day + 1)});
    db.run("INSERT INTO insight_day (day, body) VALUES (?1, CAST(?2 AS BLOB))", day, pack(rollup));
    db.run("DELETE FROM insight_stale WHERE day = ?1", day);
    return rollup.size();
}

std::int64_t extend_rollups(Writer& db, std::int64_t most)
{
    constexpr std::size_t enough = 8192; // bytes of figures: of some two thousand messages
    if (find_fact_bound(db)) return 0;
    GroupKeys keys(db);
    std::int64_t days = 0;
    for (std::size_t bytes = 0; days < most && bytes < enough; ++days) {
        const auto day = db.one<std::int64_t>("SELECT max(day) FROM insight_stale");
        if (!day) break;
        bytes += keep_day(db, keys, *day);
    }
    return days;
}

} // namespace alli::cache
