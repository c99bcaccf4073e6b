// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/failure_scope.hpp"

#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"
#include "sync/pages/retry.hpp"

#include <climits>

namespace alli::sync {
namespace {

// Of its tries those count that came before: the problem itself is gone by now. `most_tries`: then it is left to
// comparisons.
void note_in_part(cache::Writer& db, const ConversationId& id, const char* what, const char* hint,
                  const std::optional<cache::Problem>& before, Instant now, int most_tries)
{
    const std::string key = cache::problem_key(id);
    cache::Problem problem;
    problem.what = fmt::format("conversation {} can be read only in part: {}", id.value, what);
    problem.hint = hint;
    problem.since = before ? before->since : now;
    problem.tries = before ? before->tries + 1 : 1;
    if (problem.tries < most_tries) problem.retry_at = now + retry_pause(key, now, problem.tries);
    problem.conversation = id.value;
    cache::put_problem(db, key, problem);
}

} // namespace

Task<bool> is_its_own(SyncContext context, Fault fault, upstream::Priority priority)
{
    if (fault == Fault::refused) co_return true;
    // A portal's page is nobody's own either.
    if (fault != Fault::unavailable && fault != Fault::key_rejected && fault != Fault::bad_reply) co_return false;
    upstream::ListQuery least;
    least.page_size = 1;
    try {
        if (fault == Fault::bad_reply) co_return co_await answers_lists(context, priority);
        co_await context.client.list_conversations(least, priority);
    } catch (const Error&) { // then it concerns all, and the first error says so
        co_return false;
    }
    co_return true;
}

Task<bool> answers_lists(SyncContext context, upstream::Priority priority)
{
    constexpr std::chrono::sys_days nobodys_time = std::chrono::year(2200) / 1 / 1;
    upstream::ListQuery nothing;
    nothing.started_at = nobodys_time;
    nothing.page_size = 1;
    nothing.mend =
        context.client.time_unit() == TimeUnit::unknown; // no window then: the newest comes, and may be broken
    std::optional<Error> failure;
    try {
        co_await context.client.list_conversations(nothing, priority);
    } catch (const Error& error) {
        failure = error;
    }
    if (!failure || failure->fault() == Fault::refused) co_return true; // that is an answer too
    if (failure->fault() != Fault::bad_reply) throw Error(*failure);
    co_return false;
}

Error concern_all(SyncContext context, const Error& error)
{
    if (error.fault() != Fault::bad_reply || context.once) return error;
    return Error(Fault::unavailable, error.hint(), "{}", error.what());
}

void note_unreadable(cache::Writer& db, const ConversationId& id, const Error& why, Instant now,
                     std::optional<Instant> last_chat_at)
{
    const std::string key = cache::problem_key(id);
    const auto before = cache::find_problem(db, key);
    cache::Problem problem;
    if (before) problem.unreadable = before->unreadable;
    if (last_chat_at) {
        cache::clear_problem(db, key); // it may have stood at another time
        problem.unreadable = cache::Span{*last_chat_at, *last_chat_at + std::chrono::microseconds(1)};
    }
    problem.what = fmt::format("conversation {} cannot be read: {}", id.value, why.what());
    problem.hint = why.hint();
    problem.since = before ? before->since : now;
    problem.tries = before ? before->tries + 1 : 1;
    problem.retry_at = now + retry_pause(key, now, problem.tries);
    problem.conversation = id.value;
    cache::put_problem(db, key, problem);
}

void note_unreadable_alone(cache::Writer& db, const ConversationId& id, const Error& why, Instant now)
{
    const auto before = cache::find_problem(db, cache::problem_key(id));
    const auto held = cache::find_held(db, id);
    const bool known = before && before->unreadable;
    note_unreadable(db, id, why, now, held && !known ? held->last_chat_at : std::nullopt);
}

void note_partial(cache::Writer& db, const ConversationId& id, const std::optional<cache::Problem>& before, Instant now)
{
    note_in_part(db, id, "its JSON is broken, in lists and alone", "what came before the break is held and served",
                 before, now, INT_MAX);
}

void note_contradicted(cache::Writer& db, const ConversationId& id, const std::optional<cache::Problem>& before,
                       Instant now)
{
    constexpr int most_tries = 8; // a service that counts so, counts all so
    note_in_part(db, id, "upstream counts more chats of it than its pages show",
                 "what was shown is held, and upstream is asked about it; it is compared again by itself", before, now,
                 most_tries);
}

} // namespace alli::sync
