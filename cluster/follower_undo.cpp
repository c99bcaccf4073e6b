// SPDX-License-Identifier: Apache-2.0
// What a node noted as a leader that it is not any more, or before it became one: what is shared comes in its place.
#include "cluster/follower.hpp"

#include "cluster/latest.hpp"

#include <algorithm>

namespace alli::cluster {
namespace {

// So many conversations are read again one by one; with more it is quicker to read all.
constexpr std::size_t most_single = 2'000;

struct Unpublished {
    std::vector<cache::Note> notes;
    std::vector<ConversationId> conversations;
};

Unpublished find_unpublished(cache::Store& store)
{
    return store.read([](cache::Reader& db) {
        Unpublished found;
        found.notes = cache::load_notes(db, std::size_t{1} << 30);
        found.conversations = cache::noted_conversations(db, found.notes);
        return found;
    });
}

} // namespace

Task<Follower::Undo> Follower::find_undo()
{
    Unpublished found = find_unpublished(store_);
    Undo undo;
    if (found.notes.empty()) co_return undo;
    std::erase_if(found.conversations, [this](const ConversationId& id) { return kept_.holds(id); });
    if (!provisional_ && found.conversations.size() > most_single) {
        position_.reset();
        co_return undo;
    }
    if (!provisional_) {
        undo.states = co_await read_states();
        undo.rows = co_await truth_.find(found.conversations);
        add_ends(found.conversations, undo.rows);
    }
    undo.notes = std::move(found.notes);
    co_return undo;
}

// With the round that follows at hand: the database may be away from now on.
Task<> Follower::undo_unpublished(Undo undo)
{
    if (undo.notes.empty()) co_return;
    if (!provisional_) {
        const auto claim = [](cache::Writer& db) { cache::claim_nothing(db); };
        to_apply_ = std::move(undo.states); // before: then what is not claimed any more comes back
        co_await store_.write(claim);
        co_await put_rows(std::move(undo.rows));
    }
    const auto drop = [&](cache::Writer& db) { cache::drop_notes(db, undo.notes); };
    co_await store_.write(drop);
}

} // namespace alli::cluster
