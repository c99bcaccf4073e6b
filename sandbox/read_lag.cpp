// SPDX-License-Identifier: Apache-2.0
#include "sandbox/read_lag.hpp"

#include <set>

namespace alli::sandbox {

void ReadLag::note(const Conversation& conversation, Instant now)
{
    if (lag_.count() > 0) past_.push_back({now, conversation.id, std::make_unique<Conversation>(conversation)});
}

void ReadLag::note_new(const std::string& id, Instant now)
{
    if (lag_.count() > 0) past_.push_back({now, id, nullptr});
}

// Of several writes to one conversation the first that does not show yet decides.
ReadLag::View::View(ReadLag& lag, World& world, Instant now) : world_(world)
{
    while (!lag.past_.empty() && lag.past_.front().written + lag.lag_ <= now) lag.past_.pop_front();
    std::set<std::string> seen;
    for (Past& past : lag.past_) {
        if (!seen.insert(past.id).second) continue;
        Conversation* present = world.find(past.id);
        exchanged_.push_back({&past, present != nullptr ? world.take(*present) : nullptr, past.before != nullptr});
        if (past.before) world.add(std::move(past.before));
    }
}

ReadLag::View::~View()
{
    for (Exchanged& one : exchanged_) {
        if (one.shown) one.past->before = world_.take(*world_.find(one.past->id));
        if (one.present) world_.add(std::move(one.present));
    }
}

} // namespace alli::sandbox
