// SPDX-License-Identifier: Apache-2.0
// The loop that every pass over a window is: ask for a page, commit it with its chats and what it certifies, and so on
// down. The next page is asked for while the last one is being committed.
#pragma once

#include "sync/ingest.hpp"
#include "sync/walk.hpp"

#include <functional>

namespace alli::sync {

/// What else is to be done along a pass. `due`: the next page must wait until `between` was called.
struct Duties {
    std::function<bool()> due = [] { return false; };
    std::function<Task<>()> between;
    std::function<void(const Ingested&)> report; // after every commit, what it brought
    std::function<Task<>(const Step&)> compare;  // every page as it was listed, before its commit
    std::function<bool(const Step&)> enough;     // asked once a page, before its commit: none need come after it
};

/// The next page; retried while the failure is temporary, and narrowed down and passed by while it cannot be read.
/// Throws what is left: when it concerns all, or when nothing below was readable.
Task<Step> next_readable(Tools tools, Walk& walk);

/// Runs in each page's commit, before its rows.
using Save = std::function<void(cache::Writer&, const Step&)>;

/// To the end of the walk; `first`: its first page, where that was asked for already.
Task<> go_down(Tools tools, Walk& walk, How how, Save save, Duties duties);
Task<> go_down_from(Tools tools, Walk& walk, Step first, How how, Save save, Duties duties);

/// How far before a pass's start its certainty ends: the second that `Date` is cut to.
inline constexpr std::chrono::seconds date_grain{1};

} // namespace alli::sync
