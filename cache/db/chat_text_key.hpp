// SPDX-License-Identifier: Apache-2.0
// Where the text of a chat lies: by conversation, then in the order of its chats. Schema step 0008 has the same.
#pragma once

#include <algorithm>
#include <cstdint>

namespace alli::cache {

inline constexpr std::int64_t chats_a_conversation = std::int64_t{1} << 24; // as many have a place

/// What is beyond the last place is at its end, which stays empty.
constexpr std::int64_t chat_text_key(std::int64_t conversation, std::int64_t ordinal) noexcept
{
    return conversation * chats_a_conversation + std::clamp<std::int64_t>(ordinal, 0, chats_a_conversation - 1);
}

constexpr std::int64_t conversation_of_key(std::int64_t place) noexcept
{
    return place / chats_a_conversation;
}

} // namespace alli::cache
