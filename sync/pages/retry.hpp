// SPDX-License-Identifier: Apache-2.0
// Which failures pass by themselves, and how long what failed is left alone.
#pragma once

#include "alli/back_off.hpp"
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "sync/pages/cursors.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace alli::sync {

/// Unreachable, unavailable, or an answer that could not be read.
bool is_temporary(const Error& error) noexcept;

/// How long what could not be read is let alone after so many tries: from a minute, or `base`, to six hours.
std::chrono::milliseconds retry_pause(Random& random, int tries,
                                      std::chrono::milliseconds base = std::chrono::minutes(1));
/// The same in a job of the store, where nobody's generator may be used: spread by what is tried again, and when.
std::chrono::milliseconds retry_pause(std::string_view key, Instant now, int tries);

/// Asks up to four times while the failure is temporary, with growing pauses between; throws the last failure.
template <class T>
Task<T> with_retries(Clock& clock, Random& random, std::function<Task<T>()> ask)
{
    constexpr int tries = 4;
    constexpr BackOff pauses{std::chrono::milliseconds(250), std::chrono::seconds(5)};
    for (int failures = 0;; ++failures) {
        try {
            co_return co_await ask();
        } catch (const NoAdvance&) {
            throw; // with_patience() knows how long
        } catch (const Error& error) {
            if (!is_temporary(error) || failures + 1 == tries) throw;
        }
        co_await clock.sleep(pauses.draw(random, failures));
    }
}

} // namespace alli::sync
