// SPDX-License-Identifier: Apache-2.0
// The cursors that a chain of pages has led along so far: one that comes again leads in a circle, and a chain without
// an end is none.
#pragma once

#include "alli/error.hpp"

#include <optional>
#include <string>
#include <unordered_set>

namespace alli::sync {

class Cursors {
  public:
    /// Throws Error{bad_reply} for one that leads nowhere; none is the end of the chain.
    void follow(const std::optional<std::string>& cursor)
    {
        if (!cursor) return;
        count();
        if (!met_.insert(*cursor).second) fail("a list's cursor does not advance");
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
    static constexpr int most = 10'000; // pages, in all walks of the chain: half a million conversations

    void count()
    {
        if (followed_ >= most) fail("a list does not end");
        ++followed_;
    }

    [[noreturn]] static void fail(const char* what)
    {
        throw Error(Fault::bad_reply, "upstream's paging is broken; the walk goes on where it stopped", "{}", what);
    }

    std::unordered_set<std::string> met_;
    int followed_ = 0;
};

} // namespace alli::sync
