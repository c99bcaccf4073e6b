// SPDX-License-Identifier: Apache-2.0
// Whether upstream shows what a write was to bring about: read back where its answer alone proves nothing. Writes
// nothing down. Runs on the engine's loop.
#pragma once

#include "cache/outbox/outbox.hpp"
#include "cache/store.hpp"
#include "upstream/client.hpp"

namespace alli::sync {

enum class Effect {
    shown,
    not_shown,  // what it set is something else there
    unreadable, // no read tells: upstream does not show what it set, or nothing that it set is known here
};

/// In the JSON of what it changed. Members that this lacks tell nothing. `base`: the members before, as a patch; any
/// other value than that one is shown, for upstream may spell what was written otherwise. Where the value before is not
/// known a value other than the written one tells nothing, but for null, nor do categories that are as before: they may
/// be names.
Effect effect_in(std::string_view raw, const cache::Patch& ours, const std::optional<std::string>& base);

/// What a bulk update is about to be sent over, as {"ID": {"assignee": ...}, ...}: up to three conversations that show
/// something else as yet. What a later read shows says something only beside this: by then the mirror may have seen the
/// effect.
std::string find_bulk_base(cache::Store& store, const cache::Entry& entry);

/// Asks upstream; of a bulk update those of its `base`, or where that is not known up to three that it changes. Throws
/// what the client throws, but for a refusal to be asked: that is unreadable.
/// `before_sending`: whether an earlier attempt was applied; then the written value alone shows it.
Task<Effect> read_back(upstream::Client& client, cache::Store& store, const cache::Entry& entry,
                       bool before_sending = false);

} // namespace alli::sync
