// SPDX-License-Identifier: Apache-2.0
// Kinds of work that may fail by themselves without holding up the others: each has a pause of its own that grows, and
// a problem that says why. Runs on the engine's loop.
#pragma once

#include "cache/rows/problems.hpp"
#include "sync/pages/context.hpp"

#include <functional>
#include <string>

namespace alli::sync {

struct Job {
    std::string name; // the beginning of its problem's sentence
    int failures = 0;
    Clock::Steady not_before{};
    std::optional<Error> failure = {};                              // of the last try
    Clock::Steady failed_at{};                                      // then
    std::chrono::milliseconds shortest_pause{60'000};               // after a failure
    std::chrono::milliseconds longest_pause = cache::longest_retry; // after any number of them
};

/// Whether trying something else makes sense after it.
bool concerns_all(const Error& error);

class Jobs {
  public:
    explicit Jobs(SyncContext context) : context_(context) {}

    /// Runs one kind of work, when it is due. What cannot be read there is a problem of its own; what concerns all is
    /// thrown. What an earlier process noted goes too when the work is done, or nothing is left to do.
    Task<> attempt(Job& job, bool due, std::function<Task<>()> work);

    /// Somebody would like it sooner, not only for the first time: not at once, or an upstream in trouble hears of
    /// each.
    static void hasten(Job& job);

    bool once = false; // every failure is thrown

  private:
    void take_down(Job& job, const std::optional<Error>& failure) const;
    void keep(cache::Writer& db, const Job& job, const std::optional<Error>& failure,
              const std::optional<cache::Problem>& noted) const;

    SyncContext context_;
};

} // namespace alli::sync
