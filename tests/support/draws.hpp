// SPDX-License-Identifier: Apache-2.0
// Random choices of a property test, from a seed that can be set again: ALLI_SEED. The test prints seed_ where it
// fails.
#pragma once

#include "alli/random.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace support {

class Draws {
  protected:
    Draws() : seed_(choose_seed()), random_(seed_) {}

    std::int64_t any(std::int64_t below) { return static_cast<std::int64_t>(random_.below(std::uint64_t(below))); }
    template <std::size_t n>
    std::string one_of(const std::array<std::string_view, n>& all)
    {
        return std::string(all[static_cast<std::size_t>(any(n))]);
    }

    std::uint64_t seed_;
    alli::SeededRandom random_;

  private:
    static std::uint64_t choose_seed()
    {
        const char* given = std::getenv("ALLI_SEED");
        return given ? std::strtoull(given, nullptr, 10) : alli::SystemRandom().next() % 1'000'000;
    }
};

} // namespace support
