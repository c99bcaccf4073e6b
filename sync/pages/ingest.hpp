// SPDX-License-Identifier: Apache-2.0
// A page of listed conversations into the mirror: the chats that are missing are fetched in parallel, then all is
// committed at once, together with the progress that it means. A conversation that cannot be read is noted as a problem
// and does not hold up the others.
#pragma once

#include "sync/pages/context.hpp"

#include <functional>

namespace alli::sync {

enum class Source { list, single }; // how many chats an item carries is learnt from lists alone
enum class Depth { missing, all };  // the chats that the mirror lacks, or all that the item does not carry

struct IngestOptions {
    Source source = Source::list;
    upstream::Priority priority = upstream::Priority::backfill;
    Depth depth = Depth::missing;
    bool audit = false; // a difference that no clock explains is counted as drift
};

/// Runs inside the commit, before the rows are put.
using InCommit = std::function<void(cache::Writer&)>;

/// `fence`: the fence taken before the request for `listed` was sent. Tells the context's follower what the commit
/// brought, and returns it.
Task<Ingested> ingest(SyncContext context, std::vector<Conversation> listed, Fence fence, IngestOptions options,
                      InCommit in_commit = {});

} // namespace alli::sync
