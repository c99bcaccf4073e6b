// SPDX-License-Identifier: Apache-2.0
// What the pages of a list by last chat time show of where conversations without a chat stand in it. An upstream may
// also order them among the others, by their creation: so a place is told only by those that stand elsewhere than their
// creation would put them. No I/O.
#pragma once

#include "alli/conversation.hpp"
#include "cache/rows/chatless.hpp"

#include <optional>
#include <vector>

namespace alli::sync {

class Sightings {
  public:
    explicit Sightings(bool newest_first) : newest_first_(newest_first) {}

    /// The next page of the list, which is read from its beginning.
    void see(const std::vector<Conversation>& page);

    bool any_chatless() const { return before_ > 0 || after_ > 0; }
    bool front_is_over() const { return told_; } // one with a chat was seen
    bool begins_with_chat() const { return told_ && before_ == 0; }

    /// The front of the list, which is over, holds all that have no chat.
    bool shows_all_in_front() const { return told_ && before_ > 0 && after_ == 0 && proved_; }

    /// Whether the list begins without conversations that have no chat, as far as it was read. None: the pages do not
    /// tell.
    std::optional<bool> front_clear(bool whole) const;

    /// `whole`: the list was read to its end. None: the pages do not tell; `unknown`: they tell that there is no such
    /// place.
    std::optional<cache::ChatlessPlace> place(bool whole) const;

  private:
    void see_chatless(const Conversation& conversation);
    void see_told(Instant last_chat_at);
    bool comes_before(Instant a, Instant b) const { return newest_first_ ? a > b : a < b; }

    bool newest_first_;
    int before_ = 0, after_ = 0;             // without a chat, before the first with one and after it
    bool told_ = false;                      // one with a chat was seen
    bool mixed_ = false;                     // one with a chat after one of `after_`
    bool proved_ = false;                    // one stands elsewhere than its creation would put it
    std::optional<Instant> latest_in_front_; // of the creations there, the one that comes last in this order
    Instant last_told_;
};

} // namespace alli::sync
