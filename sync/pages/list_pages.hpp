// SPDX-License-Identifier: Apache-2.0
// A list of conversations page after page, by upstream's own cursor. For what no window of last chat time holds:
// conversations without a chat, and orders by creation. On the engine's loop.
#pragma once

#include "sync/pages/context.hpp"

#include <optional>
#include <unordered_set>
#include <vector>

namespace alli::sync {

struct ListPage {
    std::vector<Conversation> conversations;
    Fence fence; // before the request
};

class ListPages {
  public:
    ListPages(SyncContext context, upstream::ListQuery query, upstream::Priority priority)
        : context_(context), query_(std::move(query)), priority_(priority)
    {}

    bool more() const { return !begun_ || query_.cursor; }

    /// Asks for less while a page cannot be read, and again while it does not lead on. One item that cannot be read is
    /// the end: what comes after it, its page's cursor alone could tell. A cursor that is refused is asked again, then
    /// the list is begun anew: cursors may be forgotten, and by then most of it is known. Throws what is left.
    Task<ListPage> next();

  private:
    Task<ListPage> ask_once();
    Task<ListPage> ask();
    void begin_anew();
    void follow(std::optional<std::string> cursor, bool empty);
    Error stuck(const Error& why) const;

    SyncContext context_;
    upstream::ListQuery query_;
    upstream::Priority priority_;
    std::unordered_set<std::string> cursors_; // each leads on once
    std::size_t read_ = 0;
    int idle_ = 0, refusals_ = 0;
    bool begun_ = false;
};

} // namespace alli::sync
