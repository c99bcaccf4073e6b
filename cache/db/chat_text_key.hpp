// SPDX-License-Identifier: Apache-2.0
// The key of a chat's row and of its text: by conversation, then in the order of its chats. Schema steps 0008 and 0018
// have the same.
#pragma once

#include <algorithm>
#include <cstdint>

namespace alli::cache {

inline constexpr std::int64_t chats_a_conversation = std::int64_t{1} << 24; // as many have a key

/// What is beyond the last key is at its end, which stays empty.
constexpr std::int64_t chat_text_key(std::int64_t conversation, std::int64_t ordinal) noexcept
{
    return conversation * chats_a_conversation + std::clamp<std::int64_t>(ordinal, 0, chats_a_conversation - 1);
}

constexpr std::int64_t conversation_of_key(std::int64_t key) noexcept
{
    return key >> 24;
}

constexpr std::int64_t ordinal_of_key(std::int64_t key) noexcept
{
    return key & (chats_a_conversation - 1);
}

} // namespace alli::cache
