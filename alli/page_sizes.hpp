// SPDX-License-Identifier: Apache-2.0
// How much upstream's pages hold: its contract says so, and has no other sizes.
#pragma once

#include <cstdint>

namespace alli {

inline constexpr std::int64_t conversations_a_page = 50; // at most, and where nothing is asked
inline constexpr std::int64_t chats_a_page = 100;        // always; pages are numbered from 1, the oldest

} // namespace alli
