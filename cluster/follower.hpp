// SPDX-License-Identifier: Apache-2.0
// Brings a node's own files to what is shared: rounds of what changed since its position, and joining, which reads all
// of it. Coverage is applied after the rows that it speaks of. Runs on the node's loop.
#pragma once

#include "cache/replica/apply.hpp"
#include "cache/replica/notes.hpp"
#include "cache/store.hpp"
#include "cluster/kept_rows.hpp"
#include "cluster/node_options.hpp"
#include "cluster/shared_settings.hpp"
#include "cluster/truth.hpp"

#include <map>
#include <set>

namespace alli::cluster {

class Follower {
  public:
    Follower(Truth& truth, cache::Store& store, const Clock& clock, const NodeOptions& options, const NodeHooks& hooks);

    /// One round, after what else has to come first: joining, or reading again what this node changed and did not
    /// publish. Returns what it read of the head; from then on the files are as of `head.last`.
    Task<Head> follow();

    /// What other nodes added since, but for rows: what they purged is purged here. For a node that leads, whose
    /// changes are published.
    Task<Round> hear();
    /// After that: the settings that others may have written, and what this node keeps that the database lost.
    Task<> after_hearing(const Head& heard);
    /// From now on all of it is heard again.
    void forget_heard() { heard_ = {}; }
    /// Tells the others what was purged here, where they do not know it.
    Task<> hand_over_purges();

    /// What the last round said of the database's clock, and when that was asked by this process's.
    struct DatabaseTime {
        Instant now;
        Clock::Steady asked_at{};
    };
    const DatabaseTime& database_time() const noexcept { return database_time_; }
    /// Whether anybody published a whole mirror yet; as of the last follow().
    bool shared_is_whole() const noexcept { return !provisional_; }
    bool is_joining() const noexcept { return !position_; }
    Position position() const;
    /// The nodes' settings differ, as far as it was heard: this one neither applies nor publishes anything.
    bool settings_differ() const noexcept { return settings_.differs(); }
    /// For a leader: what of its settings nobody shared yet.
    Task<> share_settings(std::int64_t epoch);
    /// Of which state anything is shared. A database that was put back may lack what this node has.
    Task<std::set<std::string>> shared_state();

    /// This node publishes it, as upstream has it.
    void note_said(const std::string& conversation) { kept_.take(conversation); }

    /// This node published itself; `whole`: all that its mirror has. Then this is to be kept in its file; none: not
    /// yet.
    std::optional<cache::ReplicaPosition> note_published(const Position& reached, bool whole);

  private:
    using States = std::map<std::string, std::string>;

    Task<> begin_anew(bool lost);
    Task<> join();
    Task<> walk();
    Task<> end_walk();
    Task<> claim_nothing();
    struct Undo {
        std::vector<cache::Note> notes; // empty: nothing is to be undone
        cache::PublishedRows rows;
        States states;
    };
    Task<Undo> find_undo();
    Task<> undo_unpublished(Undo undo);
    Task<> take_states(const std::vector<cache::PublishedState>& states);
    Task<> put_rows(cache::PublishedRows rows);
    Task<> apply_part(cache::PublishedRows rows, Position upto);
    Task<> apply(cache::PublishedRows rows, Position position, std::string store);
    Task<std::vector<ConversationId>> apply_parts(cache::PublishedRows rows);
    Task<> make_whole(std::vector<ConversationId> ids);
    Task<> remove_unseen();
    Task<> adopt_published(const States& states);
    Task<> adopt_purges(std::vector<Suppressed> heard, bool leads);
    Task<> share_key(const std::string& store);
    Task<Round> hear(bool leads);
    Task<> take(Round& round, bool leads);
    Task<States> read_states();

    Truth& truth_;
    cache::Store& store_;
    const Clock& clock_;
    const NodeOptions& options_;
    const NodeHooks& hooks_;
    std::optional<cache::ReplicaPosition> position_; // none: it has to join
    KeptRows kept_;
    SettingsGuard settings_;
    Position settings_as_of_; // while it leads: whose own numbers go past those of others
    States to_apply_;         // all that is said, as of before the next round: applied with it, for it was claimed anew
    // Nothing whole was there to join: this node keeps its own mirror, which may become the one that is shared. Where
    // another's does, it joins again.
    bool provisional_ = false;
    bool own_writes_follow_ = false;     // since it led last, or its process began
    std::map<std::string, Run> settled_; // heard, to be told when the rows of the round are here
    DatabaseTime database_time_;
    Position heard_;                // up to where it heard what any node may add
    std::int64_t handed_over_ = -1; // the version of its suppression list that the others know
};

} // namespace alli::cluster
