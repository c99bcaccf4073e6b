// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/daily_counts.hpp"

#include "alli/error.hpp"
#include "cache/lists/daily_counts.hpp"
#include "cache/rows/suppression_list.hpp"
#include "sync/pages/failure_scope.hpp"
#include "sync/pages/ingest.hpp"
#include "sync/pages/list_pages.hpp"
#include "sync/tasks/tasks.hpp"

#include <array>
#include <unordered_set>

namespace alli::sync {
namespace {

using std::chrono::days;

constexpr days ten_years{3650}, one_year{365};
constexpr std::size_t most_days_read_again = 100; // more than these are no slip but another meaning

std::string text_of(Day day)
{
    return to_rfc3339(Instant(day.time_since_epoch())).substr(0, 10);
}

} // namespace

// False: there are none.
static Task<bool> ask_days(SyncContext context, Day from, Day through, DayCounts* counts)
{
    const auto theirs =
        co_await context.client.daily_counts(text_of(from), text_of(through), upstream::Priority::reconcile);
    if (!theirs) co_return false;
    for (const upstream::DailyCount& one : *theirs)
        if (const auto when = from_rfc3339(one.date + "T00:00:00Z"); when && one.count > 0)
            (*counts)[std::chrono::floor<days>(*when)] = one.count;
    co_return true;
}

static Task<std::optional<DayCounts>> ask_in_pieces(SyncContext context, Day from, Day through, days longest)
{
    DayCounts counts;
    for (Day first = from; first <= through; first += longest) {
        const bool any = co_await ask_days(context, first, std::min(through, first + longest - days(1)), &counts);
        if (!any) co_return std::nullopt;
    }
    co_return counts;
}

// The contract names no longest range: one that is refused is asked for again in pieces.
Task<std::optional<DayCounts>> ask_counts(SyncContext context, Day from, Day through)
{
    const days whole = through - from + days(1);
    const std::array<days, 3> lengths{whole, ten_years, one_year};
    std::optional<Error> failure;
    for (const days longest : lengths) {
        if (longest > whole) continue;
        failure.reset();
        try {
            co_return co_await ask_in_pieces(context, from, through, longest);
        } catch (const Error& error) {
            failure = error;
        }
        if (failure->fault() != Fault::refused) break;
    }
    if (failure->fault() == Fault::refused || failure->fault() == Fault::bad_reply) co_return std::nullopt;
    if (co_await is_its_own(context, failure->fault(), upstream::Priority::reconcile)) // nothing else waits for it
        throw Error(Fault::refused, failure->hint(), "{}", failure->what());
    throw Error(*failure);
}

std::vector<Day> find_differing(SyncContext context, const DayCounts& theirs, Day from, Day through)
{
    cache::PurgedDays purged;
    const auto ours = context.store.read([&](cache::Reader& db) {
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

void note_no_counts(cache::Writer& db, Instant now)
{
    cache::Progress progress = cache::load_progress(db);
    progress.counted_at = now;
    cache::save_progress(db, progress);
}

namespace {

// Everything whose first chat was about that day, and each of ours from that day that was not among it.
Task<> read_again(SyncContext context, Day day)
{
    upstream::ListQuery query;
    query.first_chat_started_at = Instant((day - days(1)).time_since_epoch());
    query.first_chat_end_at = Instant((day + days(2)).time_since_epoch());
    std::unordered_set<ConversationId> seen;
    IngestOptions options;
    options.priority = upstream::Priority::reconcile;
    for (ListPages pages(context, query, options.priority); pages.more();) {
        ListPage page = co_await pages.next();
        for (const Conversation& conversation : page.conversations) seen.insert(conversation.id);
        co_await ingest(context, std::move(page.conversations), page.fence, options);
        co_await context.follower->pause();
    }

    auto absent = context.store.read([&](cache::Reader& db) { return cache::ids_created_on(db, day); });
    std::erase_if(absent, [&](const ConversationId& id) { return seen.contains(id); });
    Deletions careful;
    co_await confirm_absent(context, std::move(absent), careful);
}

void note_counts(cache::Writer& db, std::size_t differing, Instant now)
{
    constexpr std::string_view key = "daily counts";
    constexpr int most_rounds = 3; // a service may count late
    cache::Progress progress = cache::load_progress(db);
    progress.counted_at = now;
    progress.counts_differed = differing > 0 ? progress.counts_differed + 1 : 0;
    progress.counts_disagree = progress.counts_differed >= most_rounds;
    cache::save_progress(db, progress);
    if (differing == 0) {
        cache::clear_problem(db, key);
        return;
    }
    cache::Problem problem;
    problem.what = fmt::format("upstream's daily counts go on disagreeing with its lists on {} days: {}", differing,
                               progress.counts_disagree ? "not used for a week" : "compared again with the next round");
    problem.hint = "they may count in another time zone, or something else; the other comparisons go on";
    problem.since = now;
    cache::put_problem(db, key, problem);
}

// Days that go on differing when they were read again; none: there are no counts.
Task<std::optional<std::size_t>> count_differing(SyncContext context)
{
    const auto oldest = context.store.read([](cache::Reader& db) { return cache::first_day(db); });
    const Day from = std::max(std::min(oldest.value_or(counted_from), counted_from), first_counted);
    const Day today = std::chrono::floor<days>(context.clock.now()); // is still being counted
    const Day through = std::min(today - days(1), last_counted);
    if (from > through) co_return 0;
    auto theirs = co_await ask_counts(context, from, through);
    if (!theirs) co_return std::nullopt;
    const auto suspicious = find_differing(context, *theirs, from, through);
    if (suspicious.empty() || suspicious.size() > most_days_read_again) co_return suspicious.size();
    for (const Day day : suspicious) co_await read_again(context, day);
    theirs = co_await ask_counts(context, from, through);
    if (!theirs) co_return std::nullopt;
    co_return find_differing(context, *theirs, from, through).size();
}

} // namespace

Task<> compare_counts(SyncContext context)
{
    auto differing = co_await count_differing(context);
    auto save = [&](cache::Writer& db) {
        if (differing)
            note_counts(db, *differing, context.clock.now());
        else
            note_no_counts(db, context.clock.now());
    };
    co_await context.store.write(save);
}

} // namespace alli::sync
