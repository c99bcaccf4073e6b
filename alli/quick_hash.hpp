// SPDX-License-Identifier: Apache-2.0
// A quick hash to tell texts apart; no protection against anybody. Its values are stored, so it never changes. Pure.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace alli {

// FNV-1a a word at a time, folded after each so that high bits reach the low ones.
inline std::uint64_t quick_hash(std::string_view bytes) noexcept
{
    constexpr std::uint64_t prime = 0x100000001b3;
    std::uint64_t hash = 0xcbf29ce484222325 ^ bytes.size();
    const auto mix = [&](std::uint64_t word) {
        hash = (hash ^ word) * prime;
        hash ^= hash >> 29;
    };
    for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), sizeof word);
        mix(word);
    }
    for (const char c : bytes) mix(static_cast<unsigned char>(c));
    hash *= 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 32);
}

} // namespace alli
