// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "alli/wire_field.hpp"
#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/rows/drift.hpp"
#include "cache/rows/suppression_list.hpp"
#include "sync/pages/deletion_candidates.hpp"
#include "sync/pages/failure_scope.hpp"
#include "sync/pages/ingest.hpp"
#include "sync/pages/own_chats.hpp"
#include "sync/pages/retry.hpp"
#include "sync/tasks/tasks.hpp"

namespace alli::sync {
namespace {

// Nobody upstream goes by a name of ours.
bool cannot_be_asked(const ConversationId& id)
{
    return is_made_up(id.value);
}

bool was_purged(SyncContext context, const ConversationId& id)
{
    return context.store.has_suppressions() &&
           context.store.read([&](cache::Reader& db) { return cache::is_purged(db, id); });
}

Task<std::optional<Conversation>> find(SyncContext context, ConversationId id, upstream::Priority priority)
{
    std::function<Task<std::optional<Conversation>>()> ask = [&] {
        return context.client.find_conversation(id, priority);
    };
    co_return co_await with_retries(context.clock, context.random, ask);
}

void remove(cache::Writer& db, Sequence sequence, const ConversationId& id, Instant now)
{
    sequence.note(db, id);
    cache::mark_deleted(db, id, now);
    cache::clear_problem(db, cache::problem_key(id)); // it is nobody's any more
}

// Many at once look like an upstream in trouble, or like another project.
bool may_delete(cache::Writer& db, const ConversationId& id, Deletions deletions)
{
    if (deletions.accepted) return true;
    if (cache::is_deletion_candidate(db, id)) return false;
    const cache::Progress progress = cache::load_progress(db);
    const std::int64_t tenth = cache::load_totals(db).conversations / 10;
    return progress.reconcile_deleted < std::max<std::int64_t>(deletions.most, tenth);
}

// Nobody needs to ask a hundred thousand times what a hundred answers said.
void refuse_endless(SyncContext context)
{
    constexpr std::int64_t enough = 100;
    const auto candidates = context.store.read([](cache::Reader& db) { return cache::count_deletion_candidates(db); });
    if (candidates >= enough)
        throw Error(Fault::bad_reply, "see the problem \"upstream says that ... do not exist\"",
                    "upstream lacks so many conversations that the comparison was stopped");
}

// Where a problem of its own stands, upstream is asked again later.
void keep(cache::Writer& db, const ConversationId& id, Instant now)
{
    cache::note_deletion_candidate(db, id, now);
    if (!cache::find_problem(db, cache::problem_key(id))) return;
    const Error why(Fault::refused, "see the problem \"upstream says that ... do not exist\"",
                    "upstream says that it does not exist");
    note_unreadable_alone(db, id, why, now);
}

// Upstream says that it does not exist. What is not held (purged, or deleted through the mirror itself) is nothing to
// lose. `drift`: no clock told of a deletion.
void settle_absent(cache::Writer& db, Sequence sequence, const ConversationId& id, Deletions deletions, bool drift,
                   Instant now)
{
    if (sequence.is_superseded(db, id)) return;
    const bool held = cache::find_held(db, id).has_value();
    const bool deleted = held && may_delete(db, id, deletions);
    if (held && !deleted) {
        keep(db, id, now);
    } else {
        remove(db, sequence, id, now);
        cache::Progress progress = cache::load_progress(db);
        progress.reconcile_deleted += deleted ? 1 : 0;
        cache::save_progress(db, progress);
    }
    note_deletion_candidates(db, now);
    if (!deleted || !drift) return;
    cache::Drift found;
    found.deleted = 1;
    cache::add_drift(db, found);
}

// What is wrong with this one alone is kept as its problem; what concerns all is thrown. True when it went well.
Task<bool> try_alone(SyncContext context, ConversationId id, upstream::Priority priority, std::function<Task<>()> work)
{
    std::optional<Error> failure;
    try {
        co_await work();
    } catch (const Error& error) {
        failure = error;
    }
    if (!failure) co_return true;
    if (!co_await is_its_own(context, failure->fault(), priority)) throw concern_all(context, *failure);
    auto note = [&](cache::Writer& db) { note_unreadable_alone(db, id, *failure, context.clock.now()); };
    co_await context.store.write(note);
    co_return false;
}

// One again, whole; a 404 deletes it as far as allowed.
Task<> read_again(SyncContext context, ConversationId id, IngestOptions options, Deletions deletions)
{
    const Fence fence = context.fences.take();
    std::optional<Conversation> found;
    if (!cannot_be_asked(id)) found = co_await find(context, id, options.priority);
    if (found) {
        std::vector<Conversation> one;
        one.push_back(std::move(*found));
        co_await ingest(context, std::move(one), fence, options);
        co_return;
    }
    if (context.recent_puts.may_lag(id, context.clock.steady())) { // a machine that has not heard of it yet
        Ingested again;
        again.refetched.push_back(id);
        context.follower->committed(again);
        co_return;
    }
    const Sequence sequence = fence->sequence();
    auto settle = [&](cache::Writer& db) {
        settle_absent(db, sequence, id, deletions, options.audit, context.clock.now());
    };
    co_await context.store.write(settle);
}

IngestOptions options_alone(upstream::Priority priority, bool audit)
{
    IngestOptions options;
    options.source = Source::single;
    options.priority = priority;
    options.depth = Depth::all;
    options.audit = audit;
    return options;
}

// It is asked about as its own problem, and stays out of what is verified until then.
bool is_let_alone(SyncContext context, const ConversationId& id)
{
    const auto problem =
        context.store.read([&](cache::Reader& db) { return cache::find_problem(db, cache::problem_key(id)); });
    return problem && problem->unreadable && problem->retry_at && !cache::is_due(*problem, context.clock.now());
}

// What fails for so many is no matter of each.
void refuse_many(int failed)
{
    constexpr int most = 100;
    if (failed >= most)
        throw Error(Fault::bad_reply, "see the problems of these conversations",
                    "so many conversations cannot be read that the comparison was stopped");
}

Task<> read_growing_one(SyncContext context, cache::GrowingChat it)
{
    const int page = page_of(it.ordinal);
    std::function<Task<std::optional<std::vector<Chat>>>()> ask = [&] {
        return list_own_chats(context.client, it.conversation, page, upstream::Priority::increment,
                              known_elsewhere(context.store, it.conversation));
    };
    const Fence fence = context.fences.take();
    const auto asked_at = context.clock.steady();
    auto chats = co_await with_retries(context.clock, context.random, ask);
    if (!chats) co_return; // gone: the next comparison says so
    Ingested done;
    const Sequence sequence = fence->sequence();
    auto put = [&](cache::Writer& db) {
        if (sequence.is_superseded(db, it.conversation)) return;
        done.chats = cache::put_chats(db, it.conversation, (page - 1) * chats_a_page, *chats, asked_at);
    };
    co_await context.store.write(put);
    context.follower->committed(done);
}

} // namespace

Task<> refresh(SyncContext context, std::vector<ConversationId> ids, upstream::Priority priority)
{
    const IngestOptions options = options_alone(priority, false);
    const Deletions careful; // whoever asks about one may ask about thousands
    for (const ConversationId& id : ids) {
        if (cannot_be_asked(id) || was_purged(context, id)) continue;
        std::function<Task<>()> work = [&] { return read_again(context, id, options, careful); };
        co_await try_alone(context, id, options.priority, work);
    }
}

Task<> confirm_absent(SyncContext context, std::vector<ConversationId> ids, Deletions deletions,
                      upstream::Priority priority)
{
    const IngestOptions options = options_alone(priority, true);
    int failed = 0;
    for (const ConversationId& id : ids) {
        if (was_purged(context, id)) continue;
        if (!deletions.accepted) {
            refuse_endless(context);
            if (is_let_alone(context, id)) continue;
        }
        std::function<Task<>()> work = [&] { return read_again(context, id, options, deletions); };
        if (!co_await try_alone(context, id, options.priority, work)) refuse_many(++failed);
    }
    auto look = [&](cache::Writer& db) { note_deletion_candidates(db, context.clock.now()); };
    if (!ids.empty()) co_await context.store.write(look);
}

Task<> read_growing(SyncContext context, std::vector<cache::GrowingChat> growing)
{
    for (const cache::GrowingChat& it : growing) {
        if (cannot_be_asked(it.conversation) || is_let_alone(context, it.conversation)) continue;
        std::function<Task<>()> work = [&] { return read_growing_one(context, it); };
        co_await try_alone(context, it.conversation, upstream::Priority::increment, work);
    }
}

} // namespace alli::sync
