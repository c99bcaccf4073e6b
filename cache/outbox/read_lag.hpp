// SPDX-License-Identifier: Apache-2.0
// Read lag: for upstream.read_lag after upstream answered a write of ours, its reads may still show the state before
// that write, also after they have shown the new one. The one place that decides whether what a read shows is only
// that, or somebody's change. Pure.
#pragma once

#include "alli/clock.hpp"
#include "cache/rows/edit.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// A delivered write, as far as one conversation or one chat goes.
struct Delivered {
    /// What holds since: as the service's answer showed it, else as it was sent.
    Patch written;
    /// By member the values that `written` replaced, as JSON. A member without an entry: what it replaced is not known.
    std::map<std::string, std::vector<std::string>> before;
};

/// Whether a read asked for at `asked_at` may lag behind a write that upstream answered at `answered_at`. Such a read
/// proves neither that the write was not applied nor that it was undone.
bool may_lag(Clock::Steady asked_at, Clock::Steady answered_at, std::chrono::nanoseconds read_lag);

/// What a read says of one member.
enum class Reading {
    current, // the value that holds; or no delivered write concerns this member
    lagging, // the state before one of the writes: it says nothing
    changed, // neither: somebody else's change
};

/// `delivered`: the writes that the read may lag behind (may_lag), in the order in which they were delivered.
Reading judge_reading(std::span<const Delivered> delivered, std::string_view name, std::string_view value);

/// The value that the last of them wrote; null: none of them sets it.
const std::string* find_written(std::span<const Delivered> delivered, std::string_view name);

/// Of the members that a read shows, whether any is only lag.
bool any_lagging(std::span<const Delivered> delivered, const Patch& read);

/// `before` as JSON text, and back; text that cannot be read is no knowledge.
std::string write_before(const Delivered& delivered);
void read_before(std::string_view text, Delivered& delivered);

} // namespace alli::cache
