// SPDX-License-Identifier: Apache-2.0
// One way down a window of last chat time, newest first, a page at a time. Each page is asked for as the first page
// below the one before, not by upstream's cursor: with a cursor that is a position, a conversation that leaves the
// window while it is paged makes the next page skip one. The cursor serves only where time does not get further: empty
// pages, and more conversations of one time than a page holds. Windows overlap by a unit of time, so that either
// reading of a bound loses nothing.
#pragma once

#include "upstream/client.hpp"

#include <optional>
#include <unordered_set>
#include <vector>

namespace alli::sync {

struct Step {
    std::vector<Conversation> conversations; // those not met on this walk before
    std::optional<Instant>
        reached; // complete above this last chat time (it alone may still lack some); none: nothing seen yet
    Instant asked_at;
    bool has_date = false;
    bool last = false; // the window is walked whole
};

class Walk {
  public:
    /// From `bound` (none: the newest) down to `from` (none: the oldest).
    Walk(upstream::Client& client, std::optional<Instant> from, std::optional<Instant> bound,
         upstream::Priority priority);

    /// Asks for one page. Throws what the client throws, and Error{bad_reply} for a cursor that does not advance; after
    /// a failure it may be called again. Not after `last`.
    Task<Step> next();

  private:
    std::chrono::microseconds grain() const;
    std::vector<Conversation> unmet(std::vector<Conversation>& page);
    void descend(const std::optional<std::string>& cursor, bool fresh);

    upstream::Client& client_;
    std::optional<Instant> from_, bound_;
    upstream::Priority priority_;
    std::optional<std::string> cursor_;
    std::optional<Instant> oldest_;
    std::unordered_set<ConversationId> met_; // those that the next page may bring again
    std::vector<std::pair<Instant, ConversationId>> met_at_;
};

} // namespace alli::sync
