// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/failure_scope.hpp"

#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"
#include "sync/pages/retry.hpp"

namespace alli::sync {

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

void note_partial(cache::Writer& db, const ConversationId& id, Instant now)
{
    const Error why(Fault::bad_reply, "what came before the break is held and served",
                    "its JSON is broken, in lists and alone");
    note_unreadable(db, id, why, now, std::nullopt);
}

} // namespace alli::sync
