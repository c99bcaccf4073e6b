// SPDX-License-Identifier: Apache-2.0
// A write of the outbox that the nodes of a cluster share: as one of them accepted it, and what became of it since. The
// database has one row for each (cluster/shared_outbox.hpp), every node a copy in its outbox.db. All strings may be any
// bytes, but for `node`, which a person reads.
#pragma once

#include "cache/outbox/fifos.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace alli::cache {

/// A write as it came, and whose Idempotency-Key it has. `entry.upstream_key` is random and of this request alone: by
/// it an acceptance is repeated. `entry.created_at` is by the accepting node's clock.
struct NewWrite {
    NewEntry entry;
    std::string principal; // the same at every node for the same app; '': all apps are one
};

/// What is remembered of answers to it that were not the service's (foreign_answers.hpp).
struct ForeignNote {
    std::string answer, said; // the signature of the last one, and it in a sentence
    std::int64_t count = 0;
    std::optional<Instant> since;

    friend bool operator==(const ForeignNote&, const ForeignNote&) = default;
};

/// How an attempt ended, and what has to be known of it by whoever leads next. All of it replaces what was noted.
struct WriteOutcome {
    Outcome outcome;
    std::optional<std::string> before; // what it replaced at upstream, as write_before() has it: for the lag rule
    std::optional<ForeignNote> foreign;
    std::optional<Instant> unproven_at; // a success came that a read did not show
};

/// A write that names what was purged, and what is left of it.
struct ErasedWrite {
    std::int64_t id = 0, number = 0;
    std::optional<std::string> body, base; // of a bulk update that names others too; no body: nothing is left

    friend bool operator==(const ErasedWrite&, const ErasedWrite&) = default;
};

/// `entry.id` is the number of its acceptance, one order for all nodes; `entry.place` its turn: that, or a later number
/// after a retry, never two of the same.
struct SharedWrite {
    Entry entry;
    std::int64_t number = 0; // of the row as it is now; every change gives it a higher one
    std::string node;        // that accepted it
    std::string principal;
    std::int64_t epoch = 0; // in which it was begun last; 0: never
    std::optional<std::string> client_key;
    std::string request_hash;
    int crashes = 0; // how often in a row a leader was lost while sending it
    bool told = false;
    bool discarded = false;            // by a person or a purge: what it was is gone, nobody sends or shows it
    std::optional<Instant> settled_at; // by the database's clock; delivered, failed for good, or discarded
    std::optional<std::string> before;
    std::optional<ForeignNote> foreign;
    std::optional<Instant> unproven_at;

    /// Neither delivered nor discarded: it waits, is being sent, or a person has to see to it.
    bool is_open() const noexcept { return !discarded && entry.state != EntryState::delivered; }
    /// Something is still to become of it.
    bool waits() const noexcept { return is_open() && entry.state != EntryState::failed; }
};

} // namespace alli::cache
