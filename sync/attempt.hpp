// SPDX-License-Identifier: Apache-2.0
// One attempt at a write: what goes out for it, and the look at upstream that comes first where an earlier attempt may
// have been applied, or where upstream may have changed while it waited. Writes nothing down.
#pragma once

#include "cache/outbox_line.hpp"
#include "upstream/client.hpp"

#include <optional>
#include <vector>

namespace alli::sync {

/// The request as the local app made it, with the entry's own Idempotency-Key.
upstream::Request request_of(const cache::Entry& entry);

/// What the look found.
struct Look {
    enum class Finding { send, applied, conflict };
    Finding finding = Finding::send;
    std::string conflict; // {field: {base, upstream, ours}}
};

/// Whether the entry needs a look. `waited`: it was not sent the moment it was accepted.
bool needs_look(const cache::Entry& entry, bool waited, bool overwrite);

/// Reads upstream. `earlier`: writes of ours to the same conversation; what they set is no change of upstream's.
/// Throws what the client throws.
Task<Look> look_first(upstream::Client& client, const cache::Entry& entry, std::vector<cache::Earlier> earlier,
                      bool overwrite);

} // namespace alli::sync
