// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/retry.hpp"

#include "alli/quick_hash.hpp"
#include "cache/rows/problems.hpp"

namespace alli::sync {

bool is_temporary(const Error& error) noexcept
{
    return error.fault() == Fault::unreachable || error.fault() == Fault::unavailable ||
           error.fault() == Fault::bad_reply;
}

std::chrono::milliseconds retry_pause(Random& random, int tries, std::chrono::milliseconds base)
{
    const BackOff more{base, cache::longest_retry - base};
    return base + more.draw(random, tries);
}

std::chrono::milliseconds retry_pause(std::string_view key, Instant now, int tries)
{
    SeededRandom spread(quick_hash(key) + static_cast<std::uint64_t>(now.time_since_epoch().count()));
    return retry_pause(spread, tries);
}

} // namespace alli::sync
