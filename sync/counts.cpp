// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "cache/daily.hpp"
#include "cache/ledger.hpp"
#include "sync/passes.hpp"
#include "sync/retry.hpp"

#include <map>
#include <unordered_set>

namespace alli::sync {
namespace {

using std::chrono::days;
using Day = std::chrono::sys_days;

constexpr int most_days_read_again = 100; // more than these are no slip but another meaning

std::string text_of(Day day)
{
    return to_rfc3339(Instant(day.time_since_epoch())).substr(0, 10);
}

// None where upstream has no such operation, or none that we understand.
Task<std::optional<std::map<Day, std::int64_t>>> ask_counts(Tools tools, Day from, Day through)
{
    std::map<Day, std::int64_t> counts;
    try {
        const auto theirs =
            co_await tools.client.daily_counts(text_of(from), text_of(through), upstream::Priority::reconcile);
        for (const upstream::DailyCount& one : theirs)
            if (const auto when = from_rfc3339(one.date + "T00:00:00Z"); when && one.count > 0)
                counts[std::chrono::floor<days>(*when)] = one.count;
    } catch (const Error& error) {
        if (error.fault() != Fault::refused && error.fault() != Fault::bad_reply) throw;
        co_return std::nullopt;
    }
    co_return counts;
}

std::vector<Day> find_differing(Tools tools, const std::map<Day, std::int64_t>& theirs, Day from, Day through)
{
    cache::PurgedDays purged;
    const auto ours = tools.store.read([&](cache::Reader& db) {
        purged = cache::load_purged_days(db);
        return cache::count_daily(db, from, through);
    });
    std::vector<Day> differing;
    for (Day day = from; day <= through; day += days(1)) {
        if (purged.contains(day)) continue; // upstream counts what is not to be here
        const auto found = theirs.find(day);
        const std::int64_t count = found == theirs.end() ? 0 : found->second;
        if (ours[static_cast<std::size_t>((day - from).count())] != count) differing.push_back(day);
    }
    return differing;
}

// Everything whose first chat was about that day, and each of ours from that day that was not among it.
Task<> read_again(Tools tools, Day day, Duties duties)
{
    upstream::ListQuery query;
    query.first_chat_started_at = Instant((day - days(1)).time_since_epoch());
    query.first_chat_end_at = Instant((day + days(2)).time_since_epoch());
    std::unordered_set<ConversationId> seen;
    How how;
    how.priority = upstream::Priority::reconcile;
    std::function<void(cache::Writer&)> nothing_more = [](cache::Writer&) {};
    do {
        std::function<Task<upstream::Listed>()> ask = [&] {
            return tools.client.list_conversations(query, upstream::Priority::reconcile);
        };
        const Asked asked = tools.order.ask();
        upstream::Listed listed = co_await with_retries(tools.clock, tools.random, ask);
        if (listed.page.cursor == query.cursor) listed.page.cursor.reset();
        query.cursor = std::move(listed.page.cursor);
        for (const Conversation& conversation : listed.page.conversations) seen.insert(conversation.id);
        auto conversations = std::move(listed.page.conversations);
        const Ingested done = co_await ingest(tools, std::move(conversations), asked, how, nothing_more);
        if (duties.report) duties.report(done);
        if (duties.between) co_await duties.between();
    } while (query.cursor);

    auto absent = tools.store.read([&](cache::Reader& db) { return cache::ids_created_on(db, day); });
    std::erase_if(absent, [&](const ConversationId& id) { return seen.contains(id); });
    Deletions careful;
    co_await confirm_absent(tools, std::move(absent), careful, duties.report);
}

void note_counts(cache::Writer& db, std::size_t differing, Instant now)
{
    constexpr std::string_view key = "daily counts";
    cache::Progress progress = cache::load_progress(db);
    progress.counted_at = now;
    progress.counts_off = differing > 0;
    cache::save_progress(db, progress);
    if (differing == 0) {
        cache::clear_problem(db, key);
        return;
    }
    cache::Problem problem;
    problem.what = fmt::format("upstream's daily counts go on disagreeing with its lists on {} days: not used any more",
                               differing);
    problem.hint = "they may count in another time zone, or something else; the other comparisons go on";
    problem.since = now;
    cache::put_problem(db, key, problem);
}

} // namespace

Task<> compare_counts(Tools tools, Duties duties)
{
    const Day yesterday = std::chrono::floor<days>(tools.clock.now()) - days(1); // today is still being counted
    const auto from = tools.store.read([](cache::Reader& db) { return cache::first_day(db); });
    std::size_t differing = 0;
    if (from && *from <= yesterday) {
        auto theirs = co_await ask_counts(tools, *from, yesterday);
        if (!theirs) co_return;
        auto suspicious = find_differing(tools, *theirs, *from, yesterday);
        differing = suspicious.size();
        if (!suspicious.empty() && differing <= most_days_read_again) {
            for (const Day day : suspicious) co_await read_again(tools, day, duties);
            theirs = co_await ask_counts(tools, *from, yesterday);
            if (!theirs) co_return;
            differing = find_differing(tools, *theirs, *from, yesterday).size();
        }
    }
    auto save = [&](cache::Writer& db) { note_counts(db, differing, tools.clock.now()); };
    co_await tools.store.write(save);
}

} // namespace alli::sync
