// SPDX-License-Identifier: Apache-2.0
// Which conversations a list asks for.
#pragma once

#include "sandbox/call.hpp"
#include "sandbox/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::sandbox {

/// From a time to a time, as the request wrote them; open where it named none.
struct Window {
    std::optional<Instant> after, before;
    bool inclusive = false;

    bool open() const { return !after && !before; }
    bool too_early(Instant at) const { return after && (inclusive ? at < *after : at <= *after); }
    bool too_late(Instant at) const { return before && (inclusive ? at > *before : at >= *before); }
    bool holds(std::optional<Instant> at) const; // nothing is in a window but an open one
};

struct Filter {
    std::vector<std::string> users;
    std::optional<std::string> app, category;
    std::string term; // folded
    bool active_only = false;
    std::optional<bool> running;
    Window last_chat, first_chat;

    /// Throws Error{usage} for a bad parameter.
    Filter(const Query& query, const TimeScale& scale, bool inclusive);

    bool matches(const Conversation& conversation) const;
    bool only_by_last_chat() const; // nothing but the window of last chat time can leave one out
};

} // namespace alli::sandbox
