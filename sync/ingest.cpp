// SPDX-License-Identifier: Apache-2.0
#include "sync/ingest.hpp"

#include "cache/ledger.hpp"
#include "cache/overlay.hpp"
#include "cache/unread_fields.hpp"
#include "cache/variables.hpp"
#include "sync/audit.hpp"
#include "sync/deletion_candidates.hpp"
#include "sync/mutant.hpp"
#include "sync/parallel.hpp"
#include "sync/retry.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

/// What became of one listed conversation.
struct Outcome {
    ConversationId id;
    std::optional<Instant> last_chat_at;
    std::optional<Update> update;          // none: gone meanwhile, or
    std::optional<Error> failure;          // not to be read
    std::optional<cache::Problem> partial; // what is held of it may be only what is left of something broken
    bool stays_partial = false;            // not all of it was asked for: that is not mended by this
};

// A last message of which upstream does not say that it is done may grow while it is young: fetched at growing pauses.
bool may_have_grown(SyncContext context, const Conversation& listed, const cache::Held& held)
{
    if (!held.last_completed) return true;
    const bool young = held.maybe_since && context.clock.now() - *held.maybe_since < context.overlap;
    if (!young || !listed.chats.empty()) return young;
    return context.refetch.take_due(listed, context.clock.steady(), context.overlap);
}

Missing look_up(SyncContext context, const Conversation& listed, Depth depth)
{
    if (depth == Depth::all) return find_all(listed);
    return context.store.read([&](cache::Reader& db) {
        auto held = cache::find_held(db, listed.id);
        const auto tail = held ? cache::chat_ids_from(db, listed.id, tail_start(listed)) : std::vector<ChatId>();
        if (held) held->last_completed = !may_have_grown(context, listed, *held);
        return find_missing(listed, held, tail);
    });
}

// What was purged is not even fetched. Returns it.
std::vector<Conversation> take_out_purged(SyncContext context, std::vector<Conversation>& listed)
{
    std::vector<Conversation> purged;
    if (!context.store.keeps_ledger()) return purged;
    context.store.read([&](cache::Reader& db) {
        const auto rest = std::stable_partition(listed.begin(), listed.end(),
                                                [&](const Conversation& one) { return !cache::keeps_out(db, one); });
        purged.assign(std::make_move_iterator(rest), std::make_move_iterator(listed.end()));
        listed.erase(rest, listed.end());
    });
    return purged;
}

// Where no time was to be read, its newest chat's is the nearest.
void take_newest_time(Update& update)
{
    if (!update.conversation.last_chat_guessed) return;
    std::optional<Instant> newest;
    for (const ChatRun& run : update.runs)
        for (const Chat& chat : run.chats) newest = std::max(newest, chat.sent_at);
    if (newest) update.conversation.last_chat_at = newest;
}

// In one read for all of a page.
std::vector<Outcome> begin_outcomes(SyncContext context, const std::vector<Conversation>& listed)
{
    std::vector<Outcome> outcomes(listed.size());
    context.store.read([&](cache::Reader& db) {
        for (std::size_t i = 0; i < listed.size(); ++i) {
            auto problem = cache::find_problem(db, cache::problem_key(listed[i].id));
            if (problem && !problem->unreadable) outcomes[i].partial = std::move(problem);
        }
    });
    return outcomes;
}

// An item that broke off in the list may come whole alone. None: the conversation is gone.
Task<std::optional<Conversation>> find_whole(SyncContext context, Conversation listed, upstream::Priority priority)
{
    std::function<Task<std::optional<Conversation>>()> ask = [&] {
        return context.client.find_conversation(listed.id, priority);
    };
    try {
        co_return co_await with_retries(context.clock, context.random, ask);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
    }
    co_return listed;
}

// Asked again as a whole when an answer could not be had or read. None: it is gone meanwhile.
Task<std::optional<Update>> fetch(SyncContext context, Conversation listed, IngestOptions ingest_options, bool mend)
{
    if (listed.partial) {
        auto whole = co_await find_whole(context, listed, ingest_options.priority);
        if (!whole) co_return std::nullopt;
        listed = std::move(*whole);
    }
    const Missing missing = look_up(context, listed, ingest_options.depth);
    const KnownElsewhere elsewhere = known_elsewhere(context.store, listed.id);
    std::function<Task<std::optional<Update>>()> ask = [&] {
        return catch_up(context.client, listed, missing, ingest_options.priority, elsewhere, mend);
    };
    auto update = co_await with_retries(context.clock, context.random, ask);
    if (update) take_newest_time(*update);
    co_return update;
}

Task<> try_fetch(SyncContext context, Conversation listed, IngestOptions ingest_options, bool mend, Outcome* outcome)
{
    outcome->failure.reset();
    try {
        outcome->update = co_await fetch(context, std::move(listed), ingest_options, mend);
    } catch (const Error& error) {
        outcome->failure = error;
    }
}

// One conversation made whole; where its chats are broken again and again, with what is left of them.
Task<> complete(SyncContext context, Conversation listed, IngestOptions ingest_options, Outcome* outcome)
{
    outcome->id = listed.id;
    outcome->last_chat_at = listed.last_chat_at;
    if (outcome->partial && ingest_options.depth != Depth::all) {
        outcome->stays_partial = !cache::is_due(*outcome->partial, context.clock.now());
        if (!outcome->stays_partial) ingest_options.depth = Depth::all;
    }
    co_await try_fetch(context, listed, ingest_options, false, outcome);
    if (!outcome->failure) co_return;
    const Error failure = *outcome->failure;
    if (!co_await is_its_own(context, failure.fault(), ingest_options.priority)) throw concern_all(context, failure);
    const bool can_mend = listed.partial || listed.chat_count; // else nobody knows how many chats there must be
    if (failure.fault() != Fault::bad_reply || !can_mend) co_return;
    co_await try_fetch(context, std::move(listed), ingest_options, true, outcome);
    if (outcome->failure) outcome->failure = failure;
}

// Held as far as it goes, and asked for again.
void note_partial(cache::Writer& db, const ConversationId& id, Instant now)
{
    const Error why(Fault::bad_reply, "what came before the break is held and served",
                    "its JSON is broken, in lists and alone");
    note_unreadable(db, id, why, now, std::nullopt);
}

void put_variables(cache::Writer& db, const SyncContext& context, const Conversation& listed)
{
    if (!listed.variables) return;
    cache::put_variables_object(db, listed.id, context.client.variables(), *listed.variables, context.clock.now());
}

// True when something changed.
bool put(cache::Writer& db, const Update& update, IngestOptions ingest_options, Ingested& done, Audit& audit)
{
    const ConversationId& id = update.conversation.id;
    const bool audited = ingest_options.audit && !cache::has_delivered(db, id); // what lags is no drift
    if (audited) audit.look_at(db, update.conversation);
    bool changed = cache::put_conversation(db, update.conversation);
    std::int64_t chats = 0;
    for (const ChatRun& run : update.runs)
        chats += cache::put_chats(db, id, run.first_ordinal, run.chats, update.conversation.asked_at);
    const bool cut = update.cut_from && cache::cut_chats(db, id, *update.cut_from);
    if (audited) audit.end_look(chats > 0 || cut);
    changed = changed || cut || chats > 0;
    done.conversations += changed ? 1 : 0;
    done.chats += chats;
    return changed;
}

bool has_unread(const Update& update)
{
    const auto is_odd = [](const Chat& chat) { return !chat.unread.empty(); };
    return !update.conversation.unread.empty() ||
           std::any_of(update.runs.begin(), update.runs.end(),
                       [&](const ChatRun& run) { return std::any_of(run.chats.begin(), run.chats.end(), is_odd); });
}

// How many chats a list item carries is told by no document: the most that was seen is how we serve them.
void note_embedding(cache::Writer& db, int most)
{
    cache::Progress progress = cache::load_progress(db);
    if (progress.list_embeds.value_or(-1) >= most) return;
    progress.list_embeds = most;
    cache::save_progress(db, progress);
}

int most_embedded(const std::vector<Conversation>& listed)
{
    int most = -1;
    for (const Conversation& conversation : listed)
        if (conversation.chats_at) most = std::max(most, static_cast<int>(conversation.chats.size()));
    return most;
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

Task<Ingested> ingest(SyncContext context, std::vector<Conversation> listed, Asked asked, IngestOptions ingest_options,
                      std::function<void(cache::Writer&)> also)
{
    const int embedded = ingest_options.source == Source::list ? most_embedded(listed) : -1;
    const auto purged = take_out_purged(context, listed);
    std::vector<Outcome> outcomes = begin_outcomes(context, listed);
    if (is_planted(Mutant::cursor_before_commit)) co_await context.store.write(also);

    std::function<Task<>(std::size_t)> one = [&](std::size_t i) {
        return complete(context, std::move(listed[i]), ingest_options, &outcomes[i]);
    };
    co_await in_parallel(listed.size(), context.max_parallel, one);

    Ingested done;
    const Turn turn = asked->turn();
    auto put_all = [&](cache::Writer& db) {
        const Instant now = context.clock.now();
        Audit audit;
        const bool noted = cache::has_unread_fields(db);
        // Before it is verified: what was not to be read may be now. What it held up alone, a later scan marks
        // verified.
        for (const Outcome& outcome : outcomes)
            if (outcome.update && !outcome.stays_partial) cache::clear_problem(db, cache::problem_key(outcome.id));
        also(db);
        CandidateClearing rehabilitation(db);
        for (const Conversation& conversation : purged) cache::note_kept_out(db, conversation);
        for (const Outcome& outcome : outcomes) {
            if (outcome.update) done.chat_pages += outcome.update->pages;
            if (turn.is_outrun(db, outcome.id)) {
                if (ingest_options.depth == Depth::all) done.outrun.push_back(outcome.id);
                continue;
            }
            turn.note(db, outcome.id);
            if (outcome.update) {
                const bool changed = put(db, *outcome.update, ingest_options, done, audit);
                if (has_unread(*outcome.update) || (changed && noted)) cache::note_unread_fields(db, outcome.id, now);
                put_variables(db, context, outcome.update->conversation);
                if (outcome.update->partial && !outcome.stays_partial) note_partial(db, outcome.id, now);
                rehabilitation.shown(db, outcome.id);
            } else if (outcome.failure) {
                note_unreadable(db, outcome.id, *outcome.failure, now, outcome.last_chat_at);
            }
        }
        rehabilitation.end(db, now);
        turn.end(db);
        if (embedded >= 0) note_embedding(db, embedded);
        if (ingest_options.audit) cache::add_drift(db, audit.found());
    };
    co_await context.store.write(put_all);
    co_return done;
}

} // namespace alli::sync
