// SPDX-License-Identifier: Apache-2.0
// A hash that tells the versions of a long text apart, four words at a time; no protection against anybody. Nothing is
// stored under it. Pure.
#pragma once

#include "alli/quick_hash.hpp"

#include <array>

namespace alli {

// The words go round four states, which do not wait for each other; what is left, and the states, go through
// quick_hash.
inline std::uint64_t content_hash(std::string_view bytes) noexcept
{
    constexpr std::uint64_t prime = 0x9e3779b97f4a7c15;
    std::array<std::uint64_t, 5> states{1, 2, 3, 4, bytes.size()};
    for (; bytes.size() >= 32; bytes.remove_prefix(32)) {
        std::array<std::uint64_t, 4> words{};
        std::memcpy(words.data(), bytes.data(), 32);
        for (std::size_t i = 0; i < words.size(); ++i) {
            states[i] = (states[i] ^ words[i]) * prime;
            states[i] ^= states[i] >> 32U;
        }
    }
    states[4] ^= quick_hash(bytes);
    std::array<char, sizeof states> all{};
    std::memcpy(all.data(), states.data(), sizeof states);
    return quick_hash({all.data(), all.size()});
}

} // namespace alli
