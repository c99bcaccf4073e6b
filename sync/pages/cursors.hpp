// SPDX-License-Identifier: Apache-2.0
// The cursors that a chain of pages has led along so far: one that comes again leads in a circle, and a chain without
// an end is none.
#pragma once

#include "alli/back_off.hpp"
#include "alli/clock.hpp"
#include "alli/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>

namespace alli::sync {

/// Error{bad_reply}: the cursor of a page (an empty one, as a rule) leads to where the chain has been. Upstream may
/// only need time: with_patience() asks again, nothing else does.
class NoAdvance : public Error {
  public:
    explicit NoAdvance(const char* what = "a list's cursor does not advance")
        : Error(Fault::bad_reply, "upstream's paging is broken; the scan is tried again later", "{}", what)
    {}
};

/// Asks again while a list does not advance: at most five times, with doubling pauses. Then throws NoAdvance.
template <class T>
Task<T> with_patience(Clock& clock, std::function<Task<T>()> ask)
{
    constexpr int most = 5;
    constexpr BackOff pauses{std::chrono::milliseconds(500), std::chrono::seconds(8)};
    for (int again = 0;; ++again) {
        try {
            co_return co_await ask();
        } catch (const NoAdvance&) {
            if (again == most) throw;
        }
        co_await clock.sleep(pauses.after(again));
    }
}

class Cursors {
  public:
    /// Throws NoAdvance for one that was met before, Error{bad_reply} for one too many; none is the end of the chain.
    void follow(const std::optional<std::string>& cursor)
    {
        if (!cursor) return;
        count();
        if (!met_.insert(*cursor).second) throw NoAdvance();
    }

    /// From the beginning of the chain. Throws likewise.
    void begin_again()
    {
        met_.clear();
        count();
    }

    void leave() { met_.clear(); }                 // for another chain, before the end of this one
    void forget() { met_.clear(), followed_ = 0; } // its end was reached

  private:
    static constexpr int most = 10'000; // pages, in all scans of the chain: half a million conversations

    void count()
    {
        if (followed_ >= most)
            throw Error(Fault::bad_reply, "upstream's paging is broken; the scan goes on where it stopped",
                        "a list does not end");
        ++followed_;
    }

    std::unordered_set<std::string> met_;
    int followed_ = 0;
};

} // namespace alli::sync
