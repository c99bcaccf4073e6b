// SPDX-License-Identifier: Apache-2.0
// A page of listed conversations into the mirror: what is missing is fetched side by side, then all is committed at
// once, together with the progress that it means.
#pragma once

#include "alli/random.hpp"
#include "cache/progress.hpp"
#include "cache/store.hpp"
#include "sync/catch_up.hpp"

#include <functional>

namespace alli::sync {

/// What every pass works with.
struct Tools {
    upstream::Client& client;
    cache::Store& store;
    Clock& clock;
    Random& random;
    int max_parallel;
};

struct Ingested { // new or changed: what came again as it was does not count
    std::int64_t conversations = 0, chats = 0;
};

enum class Source { list, single }; // how many chats an item carries is learnt from lists alone

/// `also` runs in the same transaction as the rows, after them.
Task<Ingested> ingest(Tools tools, std::vector<Conversation> listed, Source source, upstream::Priority priority,
                      std::function<void(cache::Writer&)> also);

} // namespace alli::sync
