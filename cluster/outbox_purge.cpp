// SPDX-License-Identifier: Apache-2.0
// What a node has emptied in the shared outbox since it knows what was purged.
#include "cluster/outbox_follower.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace alli::cluster {
namespace {

constexpr std::ptrdiff_t most_emptied = 200; // at once

} // namespace

// A row may name what was purged here while it was on its way, or at a node that had not heard of it.
void OutboxFollower::note_erased(const std::vector<cache::SharedWrite>& rows, const cache::SuppressedNames& names)
{
    if (!names.any) return;
    auto erased = store_.read_outbox([&](cache::Reader& db) { return cache::find_erased(db, rows, names); });
    for (cache::ErasedWrite& one : erased) erased_.insert_or_assign(one.id, std::move(one));
}

Task<> OutboxFollower::look_through()
{
    const std::int64_t version = store_.read_outbox([](cache::Reader& db) { return cache::suppression_version(db); });
    if (version == looked_through_) co_return;
    std::int64_t after = 0;
    for (bool at_end = false; !at_end;) {
        const WriteChunk chunk = co_await outbox_.read_all(after, options_.batch);
        at_end = chunk.at_end || chunk.writes.empty();
        if (!chunk.writes.empty()) after = chunk.writes.back().entry.id;
        note_erased(chunk.writes, cache::find_suppressed_names(store_, chunk.writes));
        co_await empty_erased();
    }
    const auto put = [version](cache::Writer& db) { cache::put_looked_through(db, version); };
    co_await store_.write_outbox(put);
    looked_through_ = version;
}

Task<> OutboxFollower::empty_erased()
{
    while (!erased_.empty()) {
        const auto last = std::next(erased_.begin(), std::min(most_emptied, std::ssize(erased_)));
        std::vector<cache::ErasedWrite> some;
        for (auto one = erased_.begin(); one != last; ++one) some.push_back(one->second);
        std::vector<cache::ErasedWrite> asked = some;
        co_await outbox_.purge(std::move(asked));
        for (const cache::ErasedWrite& one : some)
            if (const auto found = erased_.find(one.id); found != erased_.end() && found->second == one)
                erased_.erase(found);
    }
}

Task<> OutboxFollower::purge()
{
    co_await look_through();
    co_await empty_erased();
}

} // namespace alli::cluster
