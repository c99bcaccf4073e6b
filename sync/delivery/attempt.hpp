// SPDX-License-Identifier: Apache-2.0
// One attempt at a write: what goes out for it, and the read-back that comes first where an earlier attempt may have
// been applied, or where upstream may have changed while it waited. Writes nothing down.
#pragma once

#include "cache/outbox/fifos.hpp"
#include "cache/outbox/read_lag.hpp"
#include "cache/rows/categories.hpp"
#include "upstream/client.hpp"

#include <optional>
#include <vector>

namespace alli::sync {

/// Upstream's own copy of what was changed, where its answer to such a write brings one.
std::optional<std::string> copy_in(cache::EditKind kind, const std::optional<std::string>& answer);
/// The same, where the answer is what the contract shows.
std::optional<std::string> find_copy(const cache::Entry& entry, const std::optional<upstream::Reply>& reply);

/// The request as the local app made it, with the entry's own Idempotency-Key.
upstream::Request request_of(const cache::Entry& entry);

/// What is known before upstream is read.
struct Known {
    std::vector<cache::Earlier> earlier;   // writes of ours to the same conversation: what they set is no conflict
    std::vector<cache::Delivered> lagging; // those that the read may lag behind
    bool attempt_may_lag = false;          // an earlier attempt may have been applied without being seen yet
    bool overwrite = false;
    cache::CategoryNames categories = {}; // what is written as ids shows as names
};

/// What a read before sending found.
struct ReadBack {
    enum class Finding {
        send,
        applied,
        conflict,
        lagging, // nothing yet: what it shows may be the state before a write of ours
    };
    Finding finding = Finding::send;
    std::string conflict;           // {field: {base, upstream, ours}}
    std::optional<std::string> raw; // the conversation as it was read
};

/// Whether a write of that kind shows in the conversation that it names.
constexpr bool can_be_read_back(cache::EditKind kind)
{
    return kind != cache::EditKind::bulk_update && kind != cache::EditKind::stop;
}

/// Whether upstream is read before the entry is sent. `waited`: it was not sent the moment it was accepted.
bool needs_read_back(const cache::Entry& entry, bool waited, bool overwrite);

/// Whether the entry may be sent by what upstream showed of its conversation. False: nothing is decided, a read of its
/// own has to tell; so it is always where reads may lag behind a write to the same fields.
bool may_send_over(const cache::Entry& entry, const std::string& raw, const Known& known);

/// Reads upstream. Throws what the client throws.
Task<ReadBack> read_back_first(upstream::Client& client, const cache::Entry& entry, Known known);

} // namespace alli::sync
