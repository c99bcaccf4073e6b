// SPDX-License-Identifier: Apache-2.0
#include "sync/retry.hpp"

#include "alli/quick_hash.hpp"
#include "cache/problems.hpp"

#include <algorithm>

namespace alli::sync {

bool is_temporary(const Error& error) noexcept
{
    return error.fault() == Fault::unreachable || error.fault() == Fault::unavailable ||
           error.fault() == Fault::bad_reply;
}

std::chrono::milliseconds back_off(Random& random, int failures, std::chrono::milliseconds base,
                                   std::chrono::milliseconds cap)
{
    const auto ceiling = std::min<std::int64_t>(cap.count(), base.count() << std::min(failures, 30));
    return std::chrono::milliseconds(
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(ceiling, 1)))) + 1);
}

std::chrono::milliseconds retry_pause(Random& random, int tries, std::chrono::milliseconds base)
{
    return base + back_off(random, tries, base, cache::longest_retry - base);
}

std::chrono::milliseconds retry_pause(std::string_view key, Instant now, int tries)
{
    SeededRandom spread(quick_hash(key) + static_cast<std::uint64_t>(now.time_since_epoch().count()));
    return retry_pause(spread, tries);
}

} // namespace alli::sync
