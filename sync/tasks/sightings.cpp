// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/sightings.hpp"

#include <utility>

namespace alli::sync {

using cache::ChatlessPlace;

void Sightings::see(const std::vector<Conversation>& page)
{
    for (const Conversation& conversation : page) {
        if (conversation.last_chat_guessed) continue;
        if (conversation.last_chat_at)
            see_told(*conversation.last_chat_at);
        else
            see_chatless(conversation);
    }
}

void Sightings::see_chatless(const Conversation& conversation)
{
    ++(told_ ? after_ : before_);
    const auto& created = conversation.created_at;
    if (!created) return;
    if (told_)
        proved_ = proved_ || comes_before(*created, last_told_);
    else if (!latest_in_front_ || comes_before(*latest_in_front_, *created))
        latest_in_front_ = created;
}

void Sightings::see_told(Instant last_chat_at)
{
    mixed_ = mixed_ || after_ > 0;
    last_told_ = last_chat_at;
    if (!std::exchange(told_, true) && latest_in_front_) proved_ = comes_before(last_chat_at, *latest_in_front_);
}

std::optional<bool> Sightings::front_clear(bool whole) const
{
    if (before_ > 0 || mixed_) return false;
    if (!told_ || (after_ > 0 && !whole)) return std::nullopt; // what follows may show that they are mixed
    return true;
}

std::optional<ChatlessPlace> Sightings::place(bool whole) const
{
    if (mixed_ || (before_ > 0 && after_ > 0)) return ChatlessPlace::unknown;
    if (!told_ || !proved_) return std::nullopt;
    if (before_ > 0) return ChatlessPlace::first;
    return whole ? std::optional(ChatlessPlace::last) : std::nullopt;
}

} // namespace alli::sync
