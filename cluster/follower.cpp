// SPDX-License-Identifier: Apache-2.0
#include "cluster/follower.hpp"

#include "cache/replica/own_writes.hpp"
#include "cache/replica/state.hpp"
#include "cache/replica/suppressions.hpp"
#include "cache/replica/unseen.hpp"
#include "cluster/latest.hpp"
#include "cluster/suppressed.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <span>
#include <utility>

namespace alli::cluster {
namespace {

// The leader says it with the last rows of a snapshot: where it was said, a whole mirror was published.
constexpr const char* said_last = "coverage";
constexpr std::size_t most_erased = 20; // in a commit: a few hundred chats

std::vector<cache::PublishedState> list_of(const std::map<std::string, std::string>& states)
{
    std::vector<cache::PublishedState> list;
    for (const auto& [name, value] : states) list.push_back({name, value});
    return list;
}

bool says_whole(const std::vector<cache::PublishedState>& states)
{
    return std::any_of(states.begin(), states.end(), [](const auto& one) { return one.name == said_last; });
}

[[noreturn]] void throw_other_purges()
{
    throw Error(Fault::settings, "start it with a new directory for its files, or make it the cluster's first node",
                "this node has a list of purged conversations of its own, which the cluster does not know");
}

} // namespace

Follower::Follower(Truth& truth, cache::Store& store, const Clock& clock, const NodeOptions& options,
                   const NodeHooks& hooks)
    : truth_(truth), store_(store), clock_(clock), options_(options), hooks_(hooks),
      position_(store.read([](cache::Reader& db) { return cache::find_position(db); })),
      kept_(truth, store, clock, options), settings_(truth, options)
{
    if (kept_.is_active()) position_.reset(); // which it kept is read off what it lacks
}

Position Follower::position() const
{
    return position_ ? Position{position_->number, position_->nonce} : Position{};
}

std::optional<cache::ReplicaPosition> Follower::note_published(const Position& reached, bool whole)
{
    if (!position_) return std::nullopt;
    position_->number = reached.number;
    position_->nonce = reached.nonce;
    if (whole) provisional_ = false;
    if (provisional_) return std::nullopt;
    return position_;
}

Task<Head> Follower::follow()
{
    if (!own_writes_follow_) co_await cache::follow_own_writes(store_);
    own_writes_follow_ = true;
    co_await settings_.check();
    for (;;) {
        if (heard_ != position() || !position_) co_await hear(false);
        if (!position_) co_await join();
        Undo undo = co_await find_undo();
        if (!position_) continue;
        const Clock::Steady asked_at = clock_.steady();
        Round round = co_await truth_.read(position(), options_.most_rows);
        const bool another = round.head.store != position_->store;
        const bool now_whole = provisional_ && says_whole(round.rows.state);
        if (another || round.continuity != Continuity::same || now_whole) {
            co_await begin_anew(another || round.continuity == Continuity::other);
            continue;
        }
        settings_.hear(round.rows.state);
        database_time_ = {round.now, asked_at};
        co_await undo_unpublished(std::move(undo));
        co_await share_key(round.head.store);
        co_await take(round, false);
        if (round.upto.number < round.head.last.number) {
            co_await apply_part(std::move(round.rows), round.upto);
            continue;
        }
        co_await apply(std::move(round.rows), round.head.last, round.head.store);
        for (const auto& [id, run] : std::exchange(settled_, {})) hooks_.run(run);
        co_await hand_over_purges();
        co_await kept_.ask();
        co_return round.head;
    }
}

// `lost`: the database never had what this node has, or has it not any more. Its numbers go on above those that this
// node knows, before anything else gets one of them; of what it still holds nothing goes.
Task<> Follower::begin_anew(bool lost)
{
    if (lost) {
        co_await truth_.lift(std::max(position_->number, heard_.number));
        co_await kept_.begin();
    }
    position_.reset();
}

Task<Follower::States> Follower::read_states()
{
    const std::vector<cache::PublishedState> all = co_await truth_.state(std::vector<std::string>());
    States states;
    for (const cache::PublishedState& one : all) states[one.name] = one.value;
    co_return states;
}

Task<std::set<std::string>> Follower::shared_state()
{
    std::set<std::string> names;
    const States states = co_await read_states();
    for (const auto& [name, value] : states) names.insert(name);
    co_return names;
}

// What is said is read before the rows, for those may only be newer; it is applied with the round that comes after.
Task<> Follower::join()
{
    const Head head = co_await truth_.head();
    co_await settings_.check_again(); // it may not have them any more
    to_apply_ = co_await read_states();
    co_await adopt_published(to_apply_);
    handed_over_ = -1; // it may be another database
    provisional_ = !to_apply_.contains(said_last);
    if (!provisional_) co_await claim_nothing();
    co_await walk();
    position_ = cache::ReplicaPosition{head.store, head.last.number, head.last.nonce};
}

Task<> Follower::claim_nothing()
{
    const auto claim = [](cache::Writer& db) {
        cache::claim_nothing(db);
        cache::drop_notes(db); // all is read
    };
    co_await store_.write(claim);
}

Task<> Follower::walk()
{
    std::string after;
    co_await store_.write(&cache::begin_seeing);
    for (bool at_end = false; !at_end;) {
        Chunk chunk = co_await truth_.read_all(after, options_.batch);
        at_end = chunk.at_end || chunk.rows.conversations.empty();
        if (provisional_ && !chunk.rows.conversations.empty()) co_await claim_nothing(); // rows of unknown age
        if (!at_end) after = chunk.rows.conversations.back().id;
        const auto put = [&](cache::Writer& db) {
            if (kept_.is_active()) cache::keep_held(db, chunk.rows);
            cache::note_seen(db, chunk.rows);
            return cache::apply_rows(db, chunk.rows);
        };
        std::vector<ConversationId> incomplete = co_await store_.write(put);
        co_await make_whole(std::move(incomplete));
    }
    co_await end_walk();
}

// Where nothing whole is shared, this node's own may become it.
Task<> Follower::end_walk()
{
    if (provisional_)
        co_await kept_.end();
    else if (kept_.is_active())
        co_await kept_.keep_unseen();
    else
        co_await remove_unseen();
}

// A few at a time: there may be a whole mirror of them.
Task<> Follower::remove_unseen()
{
    const std::vector<ConversationId> unseen = co_await store_.write(&cache::take_unseen);
    for (std::size_t done = 0; done < unseen.size(); done += most_erased) {
        const auto some = std::span(unseen).subspan(done, std::min(most_erased, unseen.size() - done));
        const auto erase = [some](cache::Writer& db) { cache::erase_unseen(db, some); };
        co_await store_.write(erase);
    }
}

Task<std::vector<ConversationId>> Follower::apply_parts(cache::PublishedRows rows)
{
    std::vector<ConversationId> incomplete;
    const std::vector<cache::PublishedState> said = std::move(rows.state);
    std::vector<cache::PublishedRows> parts = cache::in_parts(std::move(rows), options_.batch);
    for (const cache::PublishedState& one : said) // the rows are read in it
        if (one.name == cache::unit_name && !parts.empty()) parts.front().state.push_back(one);
    for (const cache::PublishedRows& part : parts) {
        const auto put = [&part](cache::Writer& db) { return cache::apply_rows(db, part); };
        const std::vector<ConversationId> more = co_await store_.write(put);
        incomplete.insert(incomplete.end(), more.begin(), more.end());
    }
    co_return incomplete;
}

Task<> Follower::make_whole(std::vector<ConversationId> ids)
{
    for (int futile = 0; !ids.empty();) {
        const std::size_t before = ids.size();
        cache::PublishedRows rows = co_await truth_.find(ids);
        add_ends(ids, rows);
        ids = co_await apply_parts(std::move(rows));
        futile = ids.size() < before ? 0 : futile + 1;
        if (futile == 2)
            throw Error(Fault::bad_reply,
                        "it is read again; if that does not help, this is a fault of the program: report it",
                        "{} conversations of the cluster's database cannot be completed here, one is {}", ids.size(),
                        ids.front().value);
    }
}

Task<> Follower::take_states(const std::vector<cache::PublishedState>& states)
{
    for (const cache::PublishedState& one : states) to_apply_[one.name] = one.value;
    co_await adopt_published(to_apply_);
}

Task<> Follower::put_rows(cache::PublishedRows rows)
{
    if (provisional_ && !rows.conversations.empty()) co_await claim_nothing();
    for (const cache::PublishedConversation& row : rows.conversations) kept_.take(row.id);
    std::vector<ConversationId> incomplete = co_await apply_parts(std::move(rows));
    co_await make_whole(std::move(incomplete));
}

Task<> Follower::apply(cache::PublishedRows rows, Position position, std::string store)
{
    co_await take_states(rows.state);
    std::vector<cache::PublishedState> states = list_of(to_apply_);
    const bool names_purges = cache::find_suppressions(states).has_value();
    cache::ReplicaPosition reached{std::move(store), position.number, std::move(position.nonce)};
    if (states.empty() && reached == *position_) co_return;
    co_await put_rows(std::move(rows));
    const auto own = store_.read_outbox([](cache::Reader& db) { return cache::load_suppression_list(db); });
    const auto put_state = [&](cache::Writer& db) {
        cache::apply_state(db, states, reached);
        kept_.unclaim(db);
        if (names_purges && !own.key.empty()) // the leader may not know all of it yet
            cache::without_notes(db, [&] { cache::put_suppression_list(db, own); });
        if (provisional_) cache::drop_position(db);
    };
    co_await store_.write(put_state);
    position_ = std::move(reached);
    to_apply_.clear();
}

// Its position is not kept: what was said up to it is not applied yet, and would not come again.
Task<> Follower::apply_part(cache::PublishedRows rows, Position upto)
{
    co_await take_states(rows.state);
    co_await put_rows(std::move(rows));
    position_->number = upto.number;
    position_->nonce = std::move(upto.nonce);
}

// Before the rows of the same round: the end of what is purged leaves no trace.
Task<> Follower::adopt_published(const States& states)
{
    auto list = cache::find_suppressions(list_of(states));
    if (!list) co_return;
    const auto own = store_.read_outbox([](cache::Reader& db) { return cache::load_suppression_list(db); });
    if (list->key.empty()) list->key = own.key; // it did not change
    if (list->key.empty()) co_return;
    if (!own.key.empty() && own.key != list->key) throw_other_purges();
    store_.note_suppressions();
    const auto adopt = [&](cache::Writer& db) {
        cache::without_notes(db, [&] { cache::put_suppression_list(db, *list); });
    };
    co_await store_.write(adopt);
}

Task<> Follower::adopt_purges(std::vector<Suppressed> heard, bool leads)
{
    if (heard.empty()) co_return;
    const auto own = store_.read_outbox([](cache::Reader& db) { return cache::load_suppression_list(db); });
    cache::SuppressionList list = list_of(heard, own.key);
    if (list.hashes.empty() && !list.before) {
        if (leads) co_return; // it is the other that says so
        throw_other_purges();
    }
    if (!co_await cache::adopt_suppressions(store_, std::move(list), leads)) co_return;
    const cache::ErasedBySuppression erased = co_await cache::erase_suppressed(store_, leads);
    if (!erased.lines.empty()) hooks_.lines_changed(erased.lines);
    hooks_.erased(); // the end of a conversation may have come before its purge
}

// So that two nodes that purge before they have heard of each other use one.
Task<> Follower::share_key(const std::string& store)
{
    const std::string key = shared_key(store);
    if (store_.read_outbox([](cache::Reader& db) { return cache::find_shared_key(db); }) == key) co_return;
    const auto put = [&](cache::Writer& db) { cache::put_shared_key(db, key); };
    co_await store_.write_outbox(put);
}

Task<> Follower::hand_over_purges()
{
    if (store_.read_outbox([](cache::Reader& db) { return cache::suppression_version(db); }) == handed_over_) co_return;
    const auto own = store_.read_outbox([](cache::Reader& db) { return cache::load_suppression_list(db); });
    std::vector<Suppressed> entries = entries_of(own);
    if (!entries.empty()) {
        const std::vector<Suppressed> all = co_await truth_.suppressions();
        const std::set<Suppressed> known(all.begin(), all.end());
        std::erase_if(entries, [&](const Suppressed& one) { return known.contains(one); });
        co_await truth_.suppress(std::move(entries));
    }
    handed_over_ = own.version;
}

Task<> Follower::take(Round& round, bool leads)
{
    co_await adopt_purges(std::move(round.suppressed), leads);
    for (const Run& run : round.runs) {
        settled_.erase(run.conversation);
        if (run.state == RunState::settled && !leads)
            settled_[run.conversation] = run;
        else
            hooks_.run(run);
    }
    heard_ = round.head.last;
}

Task<Round> Follower::hear(bool leads)
{
    Round round = co_await truth_.hear(heard_);
    if (round.continuity != Continuity::same) {
        if (round.continuity == Continuity::other) co_await truth_.lift(heard_.number);
        heard_ = {};
        handed_over_ = -1;
        round = co_await truth_.hear(heard_);
    }
    co_await take(round, leads);
    co_return round;
}

Task<Round> Follower::hear()
{
    own_writes_follow_ = false;
    co_return co_await hear(true);
}

Task<> Follower::after_hearing(const Head& heard)
{
    if (heard.last != settings_as_of_) co_await settings_.check_again(); // somebody wrote
    settings_as_of_ = heard.last;
    co_await kept_.ask();
}

Task<> Follower::share_settings(std::int64_t epoch)
{
    if (const auto reached = co_await settings_.publish(position(), epoch)) note_published(*reached, false);
}

} // namespace alli::cluster
