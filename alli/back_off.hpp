// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next try: a pause that doubles with each failure, up to the longest. Pure.
#pragma once

#include "alli/random.hpp"

#include <algorithm>
#include <chrono>

namespace alli {

struct BackOff {
    std::chrono::nanoseconds first, longest;

    constexpr std::chrono::nanoseconds after(int failures) const
    {
        const auto doubled = std::int64_t{1} << std::clamp(failures, 0, 30);
        return first > longest / doubled ? longest : first * doubled;
    }

    /// Full jitter: a random time up to that, so that many clients do not come back at once.
    std::chrono::milliseconds draw(Random& random, int failures) const
    {
        const auto most = std::chrono::duration_cast<std::chrono::milliseconds>(after(failures)).count();
        const auto drawn = random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(most, 1)));
        return std::chrono::milliseconds(static_cast<std::int64_t>(drawn) + 1);
    }
};

} // namespace alli
