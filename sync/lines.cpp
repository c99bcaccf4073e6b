// SPDX-License-Identifier: Apache-2.0
#include "sync/lines.hpp"

namespace alli::sync {

Lines::Id Lines::id_of(const std::string& key)
{
    if (key.empty()) return std::nullopt;
    return ConversationId{key.substr(1)};
}

void Lines::unlist(const std::string& key, const Line& line)
{
    ready_.erase(line.place);
    if (later_.erase({line.due, line.place}) > 0) later_keys_.erase(line.place);
    if (!key.empty()) active_.erase(line.place);
}

void Lines::put(const cache::LineHead& head, Steady due)
{
    const std::string key = key_of(head.conversation);
    Line& line = lines_[key];
    unlist(key, line);
    line.head = head.id;
    line.place = head.place;
    line.due = due;
    line.busy = false;
    line.blocked = head.state == cache::EntryState::conflict;
    if (line.blocked) return;
    if (!key.empty()) active_.insert(line.place);
    later_.insert({due, line.place});
    later_keys_[line.place] = key;
}

void Lines::remove(const Id& id)
{
    const auto found = lines_.find(key_of(id));
    if (found == lines_.end()) return;
    unlist(found->first, found->second);
    lines_.erase(found);
}

bool Lines::contains(const Id& id) const
{
    return lines_.contains(key_of(id));
}

bool Lines::has_turn(const Id& id) const
{
    const auto found = lines_.find(key_of(id));
    return found != lines_.end() && found->second.busy;
}

bool Lines::behind_barrier(const Id& id, std::int64_t place) const
{
    if (!id) return !active_.empty() && *active_.begin() < place;
    const auto bulk = lines_.find("");
    return bulk != lines_.end() && bulk->second.place < place;
}

void Lines::hurry(Steady until)
{
    while (!later_.empty() && later_.begin()->first <= until) {
        const std::int64_t place = later_.begin()->second;
        later_.erase(later_.begin());
        ready_.insert(later_keys_.extract(place));
    }
}

std::optional<Lines::Id> Lines::take_probe(Steady now)
{
    if (auto due = take(now)) return due;
    for (const auto& [when, place] : later_) {
        const std::string key = later_keys_.at(place);
        Id id = id_of(key);
        if (behind_barrier(id, place)) continue;
        later_keys_.erase(place);
        later_.erase({when, place});
        lines_[key].busy = true;
        return id;
    }
    return std::nullopt;
}

std::optional<Lines::Id> Lines::take(Steady now)
{
    hurry(now);
    if (ready_.empty()) return std::nullopt;
    // Of all that are due the oldest: when that one is behind a barrier, so are all others.
    const auto [place, key] = *ready_.begin();
    Id id = id_of(key);
    if (behind_barrier(id, place)) return std::nullopt;
    ready_.erase(ready_.begin());
    lines_[key].busy = true;
    return id;
}

std::optional<Lines::Steady> Lines::next_due() const
{
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first;
}

} // namespace alli::sync
