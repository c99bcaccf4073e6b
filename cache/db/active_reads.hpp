// SPDX-License-Identifier: Apache-2.0
// The reads of one file that are under way on connections of this process: each keeps a snapshot, and SQLite cannot
// empty the log past the oldest one. Entered by the threads that read; asked, and told to end, by the one that commits.
#pragma once

#include "cache/db/sqlite.hpp"

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

class ActiveReads {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    /// While it lives, `db` may be interrupted from another thread: it must go before the connection is closed.
    class Entry {
      public:
        /// `what` must outlive it: a literal. Null `reads`: nobody asks.
        Entry(ActiveReads* reads, Connection& db, const char* what);
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

        bool was_ended() const noexcept; // by end_older_than()

      private:
        friend class ActiveReads;
        ActiveReads* reads_;
        Connection& db_;
        const char* what_;
        Steady since_ = std::chrono::steady_clock::now();
        bool ended_ = false; // under the mutex
    };

    struct Oldest {
        std::string what;
        std::chrono::steady_clock::duration age;
    };
    std::optional<Oldest> find_oldest() const;

    /// Their statements end with Error{canceled}. Those that run none at this moment go on: ask again.
    void end_older_than(std::chrono::steady_clock::duration age) noexcept;

  private:
    mutable std::mutex mutex_;
    std::vector<Entry*> entries_;
};

} // namespace alli::cache
