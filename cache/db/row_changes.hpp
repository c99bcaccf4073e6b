// SPDX-License-Identifier: Apache-2.0
// By how much the transaction under way changes the numbers of rows that cache/rows/totals.hpp keeps: gathered by
// SQLite's update hook on the committing thread, so that no statement can be forgotten; written once a commit. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace alli::cache {

class RowChanges {
  public:
    /// A row of that table came (+1) or went (-1); tables that are not counted are ignored.
    void row(std::string_view table, std::int64_t by) noexcept
    {
        if (table == "chat_row")
            chats_ += by;
        else if (table == "conversation")
            conversations_ += by;
    }
    /// Sets both by hand, for a repair.
    void set(std::int64_t conversations, std::int64_t chats) noexcept
    {
        conversations_ = conversations;
        chats_ = chats;
    }
    std::int64_t conversations() const noexcept { return conversations_; }
    std::int64_t chats() const noexcept { return chats_; }
    bool any() const noexcept { return conversations_ != 0 || chats_ != 0; }
    void clear() noexcept { set(0, 0); }

  private: // a copy is the mark of a savepoint: assigning it undoes what came after
    std::int64_t conversations_ = 0, chats_ = 0;
};

} // namespace alli::cache
