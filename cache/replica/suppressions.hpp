// SPDX-License-Identifier: Apache-2.0
// What other nodes of a cluster purged, in this node's files: the suppression list first, in the outbox and then in the
// mirror, so that from then on nothing of it comes in; then what is there of it goes. All of it may be repeated; where
// it is cut short the next start of the store goes on.
#pragma once

#include "cache/rows/suppression_list.hpp"
#include "cache/store.hpp"

#include <functional>

namespace alli::cache {

struct ErasedBySuppression {
    std::int64_t conversations = 0;
    std::vector<std::optional<ConversationId>> lines; // of the outbox, that changed
};

/// Both files know the list; its key is the node's own, or the node has none. False: nothing of it can be here, for the
/// mirror has been gone through since. `noted`: what it changes is published.
Task<bool> adopt_suppressions(Store& store, SuppressionList list, bool noted);

/// Whatever the node's list names and its files have: rows, in steps between other writes, and writes of the outbox.
Task<ErasedBySuppression> erase_suppressed(Store& store, bool noted);

} // namespace alli::cache
