// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/conversation_fifos.hpp"

namespace alli::sync {

ConversationFifos::Id ConversationFifos::id_of(const std::string& key)
{
    if (key.empty()) return std::nullopt;
    return ConversationId{key.substr(1)};
}

void ConversationFifos::unlist(const std::string& key, const Fifo& fifo)
{
    ready_.erase(fifo.place);
    if (later_.erase({fifo.due, fifo.place}) > 0) later_keys_.erase(fifo.place);
    if (!key.empty()) active_.erase(fifo.place);
}

void ConversationFifos::put(const cache::LineHead& head, Steady due)
{
    const std::string key = key_of(head.conversation);
    Fifo& fifo = fifos_[key];
    unlist(key, fifo);
    fifo.head = head.id;
    fifo.place = head.place;
    fifo.due = due;
    fifo.busy = false;
    fifo.blocked = head.state == cache::EntryState::conflict;
    if (fifo.blocked) return;
    if (!key.empty()) active_.insert(fifo.place);
    later_.insert({due, fifo.place});
    later_keys_[fifo.place] = key;
}

void ConversationFifos::remove(const Id& id)
{
    const auto found = fifos_.find(key_of(id));
    if (found == fifos_.end()) return;
    unlist(found->first, found->second);
    fifos_.erase(found);
}

bool ConversationFifos::contains(const Id& id) const
{
    return fifos_.contains(key_of(id));
}

bool ConversationFifos::has_turn(const Id& id) const
{
    const auto found = fifos_.find(key_of(id));
    return found != fifos_.end() && found->second.busy;
}

bool ConversationFifos::behind_barrier(const Id& id, std::int64_t place) const
{
    if (!id) return !active_.empty() && *active_.begin() < place;
    const auto bulk = fifos_.find("");
    return bulk != fifos_.end() && !bulk->second.blocked && bulk->second.place < place;
}

void ConversationFifos::make_all_due(Steady until)
{
    while (!later_.empty() && later_.begin()->first <= until) {
        const std::int64_t place = later_.begin()->second;
        later_.erase(later_.begin());
        ready_.insert(later_keys_.extract(place));
    }
}

std::optional<ConversationFifos::Id> ConversationFifos::take_probe(Steady now)
{
    if (auto due = take(now)) return due;
    for (const auto& [when, place] : later_) {
        const std::string key = later_keys_.at(place);
        Id id = id_of(key);
        if (behind_barrier(id, place)) continue;
        later_keys_.erase(place);
        later_.erase({when, place});
        fifos_[key].busy = true;
        return id;
    }
    return std::nullopt;
}

std::optional<ConversationFifos::Id> ConversationFifos::take(Steady now)
{
    make_all_due(now);
    if (ready_.empty()) return std::nullopt;
    // Of all that are due the oldest: when that one is behind a barrier, so are all others.
    const auto [place, key] = *ready_.begin();
    Id id = id_of(key);
    if (behind_barrier(id, place)) return std::nullopt;
    ready_.erase(ready_.begin());
    fifos_[key].busy = true;
    return id;
}

bool ConversationFifos::is_due(const Id& id, Steady now) const
{
    const auto found = fifos_.find(key_of(id));
    if (found == fifos_.end() || found->second.busy || found->second.blocked) return false;
    const Fifo& fifo = found->second;
    return (fifo.due <= now || ready_.contains(fifo.place)) && !behind_barrier(id, fifo.place);
}

bool ConversationFifos::take(const Id& id, Steady now)
{
    if (!is_due(id, now)) return false;
    make_all_due(now);
    Fifo& fifo = fifos_.at(key_of(id));
    ready_.erase(fifo.place);
    fifo.busy = true;
    return true;
}

std::optional<ConversationFifos::Steady> ConversationFifos::next_due() const
{
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first;
}

} // namespace alli::sync
