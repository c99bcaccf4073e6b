// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/retention.hpp"

#include "alli/error.hpp"
#include "cache/db/meta.hpp"
#include "cache/purge_rows.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/suppression_list.hpp"

namespace alli::cache {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t step_chats = 500; // a few milliseconds
constexpr std::chrono::hours grain{1};   // the horizon moves in such steps
constexpr std::chrono::hours usual{48};  // by more it moves for another reason than that time goes by
constexpr std::chrono::hours notice{24};
constexpr const char* problem_name = "retention";
constexpr const char* search_name = "a look for what is older than mirror.retention"; // where it holds up the log

// In the file, beside the horizon itself.
constexpr const char* kept_for = "retention_keep";             // the retention that the horizon came from
constexpr const char* announced_at = "retention_announced_at"; // by retention_now()
constexpr const char* announced_horizon = "retention_announced_horizon";
constexpr const char* announced_keep = "retention_announced_keep";

IdSet load_unsettled(Store& store)
{
    IdSet ids;
    store.read_outbox([&](Reader& outbox) {
        for (std::string& id : outbox.all<std::string>(
                 "SELECT DISTINCT conversation FROM entry WHERE conversation IS NOT NULL AND state <> 'delivered'"))
            ids.insert(std::move(id));
    });
    return ids;
}

bool has_edit(Connection& mirror, const ConversationId& id)
{
    return mirror.exists("SELECT 1 FROM edit WHERE conversation = ?1", id.value);
}

struct Doomed {
    std::vector<ConversationId> ids;
    std::int64_t kept = 0;
};

Doomed find_doomed(Reader& mirror, Instant horizon, const IdSet& unsettled)
{
    Doomed doomed;
    PurgeOptions older;
    older.before = horizon;
    for (ConversationId& id : find_wanted(mirror, older))
        if (unsettled.contains(id.value) || has_edit(mirror, id))
            ++doomed.kept;
        else
            doomed.ids.push_back(std::move(id));
    return doomed;
}

// A chat or a write may have come since it was found.
bool is_still_doomed(Connection& mirror, const ConversationId& id, Instant horizon)
{
    return mirror.exists("SELECT 1 FROM conversation WHERE id = ?1 AND coalesce(last_chat_at, created_at) < ?2",
                         id.value, horizon) &&
           !has_edit(mirror, id);
}

// From now on nothing that old is stored, and nothing claims to be complete there.
void shut_door(Writer& mirror, Instant horizon, milliseconds keep)
{
    put_horizon(mirror, horizon);
    put_meta(mirror, kept_for, static_cast<std::int64_t>(keep.count()));
    for (const char* name : {announced_at, announced_horizon, announced_keep}) drop_meta(mirror, name);
    clear_problem(mirror, problem_name);
    mirror.run("DELETE FROM problem WHERE from_at IS NOT NULL AND through_at <= ?1", horizon);
    uncover(mirror, {Instant::min(), horizon});
    mirror.change_set().lists();
}

void announce(Writer& mirror, const RetentionPlan& plan, milliseconds keep, Instant at)
{
    put_meta(mirror, announced_at, at);
    put_meta(mirror, announced_horizon, plan.horizon);
    put_meta(mirror, announced_keep, static_cast<std::int64_t>(keep.count()));
}

void tell(Writer& mirror, const RetentionPlan& plan, Instant not_before, Instant since)
{
    Problem problem;
    problem.what =
        fmt::format("mirror.retention will erase {} conversation{} with {} chats whose last chat was before {}, "
                    "not before {}",
                    plan.conversations, plan.conversations == 1 ? "" : "s", plan.chats, to_rfc3339(plan.horizon),
                    to_rfc3339(not_before));
    problem.hint =
        "alli-mirror purge --retention does it now, with --dry-run it only says what; a longer mirror.retention, "
        "or none, keeps them";
    problem.since = since;
    put_problem(mirror, problem_name, problem);
}

struct Known {
    std::optional<Instant> horizon, at, announced;
    std::optional<std::int64_t> keep, keep_announced;
    Instant now;
};

Known load_known(Reader& mirror, Instant our_time)
{
    return {find_horizon(mirror),
            find_meta<Instant>(mirror, announced_at),
            find_meta<Instant>(mirror, announced_horizon),
            find_meta<std::int64_t>(mirror, kept_for),
            find_meta<std::int64_t>(mirror, announced_keep),
            retention_now(mirror, our_time)};
}

// Time has gone by, and nothing else.
bool is_usual(const Known& known, Instant wanted, milliseconds keep)
{
    return known.horizon && wanted - *known.horizon <= usual && keep.count() >= known.keep.value_or(INT64_MAX);
}

bool is_announced(const Known& known, Instant wanted, milliseconds keep)
{
    return known.at && *known.at <= known.now && known.announced && wanted - *known.announced <= usual &&
           keep.count() >= known.keep_announced.value_or(INT64_MAX);
}

// What was erased comes back: its days' counts are compared again. A day of a purge is noted anew where upstream shows
// what was purged (note_suppressed()).
void compare_days_again(Writer& mirror)
{
    mirror.run("DELETE FROM purged_day");
}

// All is kept: what lies below comes back with the backfill.
Task<> forget_horizon(Store& store)
{
    const auto known = store.read([](Reader& mirror) {
        return find_horizon(mirror) || find_meta<Instant>(mirror, announced_at) || find_problem(mirror, problem_name);
    });
    if (!known) co_return;
    const auto forget = [](Writer& mirror) {
        put_horizon(mirror, std::nullopt);
        compare_days_again(mirror);
        for (const char* name : {kept_for, announced_at, announced_horizon, announced_keep}) drop_meta(mirror, name);
        clear_problem(mirror, problem_name);
    };
    co_await store.write(forget);
}

Task<> lower_horizon(Store& store, Instant wanted, milliseconds keep)
{
    const auto lower = [&](Writer& mirror) {
        shut_door(mirror, wanted, keep);
        compare_days_again(mirror);
    };
    co_await store.write(lower);
}

} // namespace

Instant retention_now(Reader& mirror, Instant our_time)
{
    return std::min(our_time, load_progress(mirror).boundary.value_or(our_time));
}

Task<RetentionPlan> plan_retention(Store& store, Instant horizon)
{
    const IdSet unsettled = load_unsettled(store);
    const auto look = [&](Reader& mirror) {
        const Doomed doomed = find_doomed(mirror, horizon, unsettled);
        RetentionPlan plan{horizon, std::ssize(doomed.ids), 0, doomed.kept};
        for (const ConversationId& id : doomed.ids) plan.chats += count_chats(mirror, id);
        return plan;
    };
    co_return co_await store.read_long(look, search_name);
}

Task<RetentionPlan> apply_retention(Store& store, Instant horizon, milliseconds keep, std::function<bool()> stopping)
{
    const auto shut = [&](Writer& mirror) { shut_door(mirror, horizon, keep); };
    co_await store.write(shut);
    const IdSet unsettled = load_unsettled(store);
    const auto look = [&](Reader& mirror) { return find_doomed(mirror, horizon, unsettled); };
    const Doomed doomed = co_await store.read_long(look, search_name);
    RetentionPlan done{horizon, 0, 0, doomed.kept};
    for (std::size_t next = 0; next < doomed.ids.size();) {
        if (stopping()) throw Error(Fault::canceled, "it goes on at the next start", "the erasing was interrupted");
        const auto step = [&](Writer& mirror) {
            for (std::int64_t size = 0; next < doomed.ids.size() && size < step_chats; ++next) {
                const ConversationId& id = doomed.ids[next];
                if (!is_still_doomed(mirror, id, horizon)) continue;
                const std::int64_t chats = erase_all_of(mirror, id);
                note_change(mirror, id, ChangeKind::deleted);
                ++done.conversations;
                done.chats += chats;
                size += chats + 1;
            }
        };
        co_await store.write(step);
    }
    co_return done;
}

Task<RetentionStep> move_horizon(Store& store, std::optional<milliseconds> keep, Instant our_time,
                                 std::function<bool()> stopping)
{
    RetentionStep step;
    if (!keep) {
        co_await forget_horizon(store);
        co_return step;
    }
    const Known known = store.read([&](Reader& mirror) { return load_known(mirror, our_time); });
    const Instant wanted = std::chrono::floor<std::chrono::hours>(known.now - *keep);
    if (known.horizon && wanted < *known.horizon) co_await lower_horizon(store, wanted, *keep);
    if (known.horizon && wanted <= *known.horizon) co_return step;

    const RetentionPlan plan = co_await plan_retention(store, wanted);
    const bool announced = is_announced(known, wanted, *keep);
    const bool due = announced && known.now - *known.at >= notice;
    if (plan.conversations == 0 || is_usual(known, wanted, *keep) || due) {
        Task<RetentionPlan> work = apply_retention(store, wanted, *keep, std::move(stopping));
        step.applied = co_await std::move(work);
        co_return step;
    }
    const Instant since = announced ? *known.at : known.now;
    step.not_before = since + notice;
    const auto say = [&](Writer& mirror) {
        if (!announced) announce(mirror, plan, *keep, since);
        tell(mirror, plan, step.not_before, since);
    };
    co_await store.write(say);
    if (!announced) step.announced = plan;
    co_return step;
}

} // namespace alli::cache
