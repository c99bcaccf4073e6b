// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/ingest.hpp"

#include "cache/page_state.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/rows/variables.hpp"
#include "cache/unread_fields.hpp"
#include "sync/loop/parallel.hpp"
#include "sync/pages/audit.hpp"
#include "sync/pages/catch_up.hpp"
#include "sync/pages/deletion_candidates.hpp"
#include "sync/pages/failure_scope.hpp"
#include "sync/pages/retry.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

using cache::ConversationState;

/// What became of one listed conversation.
struct Outcome {
    std::optional<Instant> last_chat_at;
    std::optional<Update> update; // none: gone meanwhile, or
    std::optional<Error> failure; // it cannot be read
    bool is_partial = false;      // its problem says that only a part of it could be read
    bool stays_partial = false;   // not all of it was requested: the problem remains
    bool is_whole_look = false;   // all of it was requested
    bool is_behind = false;       // an older state than the one that was put so lately that upstream may lag
    std::int64_t held_chats = 0;  // what the request was based on
};

// A last message of which upstream does not say that it is done may grow while it is young: fetched at growing pauses.
bool may_have_grown(SyncContext context, const Conversation& listed, const cache::Held& held)
{
    if (!held.last_completed) return true;
    const bool young = held.maybe_since && context.clock.now() - *held.maybe_since < context.overlap;
    if (!young || !listed.chats.empty()) return young;
    return context.refetch.take_due(listed, context.clock.steady(), context.overlap);
}

std::vector<ConversationId> ids_of(std::span<const Conversation> listed)
{
    std::vector<ConversationId> ids;
    ids.reserve(listed.size());
    for (const Conversation& one : listed) ids.push_back(one.id);
    return ids;
}

/// What the mirror has of a page, before its requests.
struct Before {
    std::vector<ConversationState> states;
    std::optional<Instant> horizon; // of retention; not asked for where all is held
};

// Of a whole page in one read. The tails only where something can be left out.
Before load_before(SyncContext context, std::span<const Conversation> listed, Depth depth)
{
    const auto ids = ids_of(listed);
    return context.store.read([&](cache::Reader& db) {
        Before before{cache::load_states(db, ids), std::nullopt};
        const auto is_new = [](const ConversationState& state) { return !state.held; };
        if (std::any_of(before.states.begin(), before.states.end(), is_new)) before.horizon = cache::find_horizon(db);
        if (depth == Depth::all) return before;
        std::vector<std::int64_t> tails_begin;
        for (std::size_t i = 0; i < listed.size(); ++i)
            tails_begin.push_back(tail_start(listed[i], before.states[i].held));
        cache::load_tail_ids(db, ids, tails_begin, before.states);
        return before;
    });
}

Missing missing_of(SyncContext context, const Conversation& listed, const ConversationState& state, Depth depth)
{
    auto held = state.held;
    if (depth == Depth::all) return find_all(listed, held);
    if (held) held->last_completed = !may_have_grown(context, listed, *held);
    Missing missing = find_missing(listed, held, state.tail);
    const std::int64_t first = (std::int64_t{missing.first_page} - 1) * chats_a_page;
    if (missing.last_page < missing.first_page || first == 0 || first >= held->chats) return missing;
    const auto ids = context.store.read([&](cache::Reader& db) { return cache::chat_ids_from(db, listed.id, first); });
    if (!ids.empty()) missing.held_there = ids.front();
    return missing;
}

// Takes out what was purged: it is not even fetched. Returns it.
std::vector<Conversation> take_out_purged(SyncContext context, std::vector<Conversation>& listed)
{
    std::vector<Conversation> purged, kept;
    if (!context.store.has_suppressions()) return purged;
    const auto out = context.store.read([&](cache::Reader& db) { return cache::is_suppressed(db, listed); });
    for (std::size_t i = 0; i < listed.size(); ++i) (out[i] ? purged : kept).push_back(std::move(listed[i]));
    listed = std::move(kept);
    return purged;
}

// Takes out what retention would not keep: it is not even fetched. Returns it. What is held stays up to date until the
// horizon moves over it.
std::vector<Conversation> take_out_old(Before& before, std::vector<Conversation>& listed)
{
    std::vector<Conversation> old, kept;
    if (!before.horizon) return old;
    std::vector<ConversationState> states;
    for (std::size_t i = 0; i < listed.size(); ++i) {
        ConversationState& state = before.states[i];
        const bool known = state.held || state.hidden || listed[i].last_chat_guessed;
        if (!known && cache::is_before_horizon(before.horizon, listed[i])) {
            old.push_back(std::move(listed[i]));
            continue;
        }
        kept.push_back(std::move(listed[i]));
        states.push_back(std::move(state));
    }
    listed = std::move(kept);
    before.states = std::move(states);
    return old;
}

// Where no time could be read, that of the newest chat is the nearest.
void take_newest_time(Update& update)
{
    if (!update.conversation.last_chat_guessed) return;
    std::optional<Instant> newest;
    for (const ChatRun& run : update.runs)
        for (const Chat& chat : run.chats) newest = std::max(newest, chat.sent_at);
    if (newest) update.conversation.last_chat_at = newest;
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

bool has_unread(const Update& update)
{
    const auto is_odd = [](const Chat& chat) { return !chat.unread.empty(); };
    return !update.conversation.unread.empty() ||
           std::any_of(update.runs.begin(), update.runs.end(),
                       [&](const ChatRun& run) { return std::any_of(run.chats.begin(), run.chats.end(), is_odd); });
}

// No document tells how many chats a list item carries: the most that was seen is how we serve them.
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

/// One page on its way: complete() on the loop, conversation by conversation, then put() in the commit.
class PageIngest {
  public:
    PageIngest(SyncContext context, std::vector<Conversation> listed, IngestOptions options)
        : context_(context), options_(options), embedded_(options.source == Source::list ? most_embedded(listed) : -1),
          purged_(take_out_purged(context, listed)), listed_(std::move(listed)),
          before_(load_before(context, listed_, options.depth)), old_(take_out_old(before_, listed_)),
          ids_(ids_of(listed_)), outcomes_(listed_.size())
    {}

    std::size_t size() const { return listed_.size(); }

    /// Makes one whole; where its chats are broken again and again, with what is left of them.
    Task<> complete(std::size_t at)
    {
        Outcome& outcome = outcomes_[at];
        Conversation listed = std::move(listed_[at]);
        outcome.last_chat_at = listed.last_chat_at;
        outcome.is_behind = context_.recent_puts.is_behind(listed, context_.clock.steady());
        if (outcome.is_behind) co_return;
        const Depth depth = begin(outcome, before_.states[at]);
        outcome.is_whole_look = depth == Depth::all;
        co_await try_fetch(at, listed, depth, false);
        if (!outcome.failure) co_return;
        const Error failure = *outcome.failure;
        if (!co_await is_its_own(context_, failure.fault(), options_.priority)) throw concern_all(context_, failure);
        const bool can_mend = listed.partial || listed.chat_count; // else nobody knows how many chats there must be
        if (failure.fault() != Fault::bad_reply || !can_mend) co_return;
        co_await try_fetch(at, std::move(listed), depth, true);
        if (outcome.failure) outcome.failure = failure;
    }

    /// Before the commit: others may have put what is younger meanwhile, whatever the order of the requests was.
    void look_again()
    {
        for (Outcome& outcome : outcomes_)
            if (outcome.update && context_.recent_puts.is_behind(outcome.update->conversation, context_.clock.steady()))
                outcome.is_behind = true;
    }

    /// In the commit.
    Ingested put(cache::Writer& db, const Sequence& sequence, const InCommit& in_commit)
    {
        const Instant now = context_.clock.now();
        const bool any_unread = cache::has_unread_fields(db);
        const auto states = cache::load_states(db, ids_);
        const auto superseded = sequence.load_superseded(db);
        // Before the range is marked verified: what could not be read may be now. A range that a conversation alone
        // held up is marked verified by a later scan. What a younger answer left stays.
        for (std::size_t i = 0; i < ids_.size(); ++i)
            if (ends_problem(outcomes_[i], states[i]) && !superseded.contains(ids_[i]))
                cache::clear_problem(db, cache::problem_key(ids_[i]));
        const std::vector<cache::Interval> doubted = load_doubted(db, states);
        if (in_commit) in_commit(db);
        for (const cache::Interval& one : doubted) cache::cover(db, one);
        CandidateClearing candidates(db);
        for (const Conversation& conversation : purged_) cache::note_suppressed(db, conversation);
        for (const Conversation& conversation : old_) cache::note_purged_day(db, conversation.created_at);
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (outcomes_[i].update) done_.chat_pages += outcomes_[i].update->pages;
            if (outcomes_[i].is_behind) {
                done_.refetched.push_back(ids_[i]);
                continue;
            }
            if (superseded.contains(ids_[i])) {
                if (options_.audit) done_.refetched.push_back(ids_[i]);
                continue;
            }
            if (!outcomes_[i].failure) sequence.note(db, ids_[i]); // what cannot be read says nothing
            if (outcomes_[i].update) {
                const bool changed = put_one(db, i, states[i]);
                note_fields(db, i, changed && any_unread, now);
                if (!outcomes_[i].stays_partial) note_doubts(db, i, states[i].problem, now);
                candidates.shown(db, ids_[i]);
            } else if (outcomes_[i].failure) {
                note_unreadable(db, ids_[i], *outcomes_[i].failure, now, outcomes_[i].last_chat_at);
            }
        }
        candidates.end(db, now);
        sequence.end(db);
        if (embedded_ >= 0) note_embedding(db, embedded_);
        if (options_.audit) cache::add_drift(db, audit_.found());
        return std::move(done_);
    }

  private:
    // What is held in part stands until all was looked at: it may have been noted while this was under way.
    static bool ends_problem(const Outcome& outcome, const ConversationState& state)
    {
        if (!state.problem || !outcome.update || outcome.is_behind || outcome.stays_partial) return false;
        return state.problem->unreadable || outcome.is_whole_look;
    }

    // What shows less than was put lately may come from a machine that lags, or a chat is gone: of what is held no more
    // is known than before.
    std::vector<cache::Interval> load_doubted(cache::Reader& db, std::span<const ConversationState> states) const
    {
        constexpr std::chrono::microseconds moment{1};
        std::vector<cache::Interval> doubted, covered;
        for (std::size_t i = 0; i < ids_.size(); ++i) {
            if (!outcomes_[i].is_behind || !states[i].held || !states[i].held->last_chat_at) continue;
            const Instant at = *states[i].held->last_chat_at;
            if (covered.empty()) covered = cache::load_coverage(db);
            for (const cache::Interval& one : covered)
                if (one.from <= at && at < one.through) doubted.push_back({at, at + moment, one.verified_at});
        }
        return doubted;
    }

    Depth begin(Outcome& outcome, const ConversationState& state) const
    {
        outcome.is_partial = state.problem && !state.problem->unreadable;
        if (!outcome.is_partial || options_.depth == Depth::all) return options_.depth;
        outcome.stays_partial = !cache::is_due(*state.problem, context_.clock.now());
        return outcome.stays_partial ? options_.depth : Depth::all;
    }

    // None: it is gone meanwhile.
    Task<std::optional<Update>> fetch(std::size_t at, Conversation listed, Depth depth, bool mend)
    {
        if (listed.partial) {
            auto whole = co_await find_whole(context_, listed, options_.priority);
            if (!whole) co_return std::nullopt;
            listed = std::move(*whole);
            before_.states[at] = load_before(context_, {&listed, 1}, depth).states.front();
        }
        const auto& held = before_.states[at].held;
        outcomes_[at].held_chats = held && depth == Depth::missing ? held->chats : 0;
        Missing missing = missing_of(context_, listed, before_.states[at], depth);
        missing.doubted = outcomes_[at].stays_partial;
        const KnownElsewhere elsewhere = known_elsewhere(context_.store, listed.id);
        std::function<Task<std::optional<Update>>()> ask = [&] {
            return catch_up(context_.client, listed, missing, options_.priority, elsewhere, mend);
        };
        auto update = co_await with_retries(context_.clock, context_.random, ask);
        if (update) take_newest_time(*update);
        co_return update;
    }

    // Requested again as a whole when an answer could not be had or read.
    Task<> try_fetch(std::size_t at, Conversation listed, Depth depth, bool mend)
    {
        outcomes_[at].failure.reset();
        try {
            outcomes_[at].update = co_await fetch(at, std::move(listed), depth, mend);
        } catch (const Error& error) {
            outcomes_[at].failure = error;
        }
    }

    // True when something changed.
    bool put_one(cache::Writer& db, std::size_t at, const ConversationState& state)
    {
        const Update& update = *outcomes_[at].update;
        const ConversationId& id = ids_[at];
        const bool audited = options_.audit && state.held && !state.lags; // what lags is no drift
        if (audited) audit_.look_at(db, *state.held, update.conversation);
        bool changed = cache::put_conversation(db, update.conversation);
        std::int64_t chats = 0;
        for (const ChatRun& run : update.runs)
            if (!run.only_if_none_held || state.end == 0)
                chats += cache::put_chats(db, id, run.first_ordinal, run.chats, update.conversation.asked_at);
        const bool repeated = !put_.insert(id).second; // in one page: then `state` is from before the first
        const bool may_cut = update.cut_from && (repeated || state.hidden || state.end > *update.cut_from);
        const bool cut = may_cut && cache::cut_chats(db, id, *update.cut_from);
        if (audited) audit_.end_look(chats > 0 || cut);
        changed = changed || cut || chats > 0;
        done_.conversations += changed ? 1 : 0;
        if (changed) done_.changed.push_back({id, update.conversation.last_chat_at, update.conversation.chat_count});
        done_.chats += chats;
        // Another answer removed chats that this one counted on.
        if ((state.held ? state.held->chats : 0) < outcomes_[at].held_chats) done_.refetched.push_back(id);
        return changed;
    }

    void note_fields(cache::Writer& db, std::size_t at, bool may_be_read_now, Instant now)
    {
        const Update& update = *outcomes_[at].update;
        if (may_be_read_now || has_unread(update)) cache::note_unread_fields(db, ids_[at], now);
        if (const auto& variables = update.conversation.variables)
            cache::put_variables_object(db, ids_[at], context_.client.variables(), *variables, now);
    }

    void note_doubts(cache::Writer& db, std::size_t at, const std::optional<cache::Problem>& before, Instant now)
    {
        const Update& update = *outcomes_[at].update;
        if (update.partial)
            note_partial(db, ids_[at], before, now);
        else if (update.contradicted)
            note_contradicted(db, ids_[at], before, now);
    }

    SyncContext context_;
    IngestOptions options_;
    int embedded_; // the most chats that an item carries
    std::vector<Conversation> purged_, listed_;
    Before before_;
    std::vector<Conversation> old_;
    std::vector<ConversationId> ids_;
    std::vector<Outcome> outcomes_;
    std::unordered_set<ConversationId> put_;
    Audit audit_;
    Ingested done_;
};

} // namespace

Task<Ingested> ingest(SyncContext context, std::vector<Conversation> listed, Fence fence, IngestOptions options,
                      InCommit in_commit)
{
    PageIngest page(context, std::move(listed), options);
    std::function<Task<>(std::size_t)> complete = [&page](std::size_t at) { return page.complete(at); };
    co_await in_parallel(page.size(), context.max_parallel, complete);
    page.look_again();
    const Sequence sequence = fence->sequence();
    Ingested done;
    auto put = [&](cache::Writer& db) { done = page.put(db, sequence, in_commit); };
    co_await context.store.write(put);
    context.recent_puts.note(done.changed, context.clock.steady());
    context.follower->committed(done);
    co_return done;
}

} // namespace alli::sync
