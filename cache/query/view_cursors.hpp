// SPDX-License-Identifier: Apache-2.0
// The rows of the views that hold their own, one after the other, as a virtual table of SQLite wants them. Whole scans
// unpack each text once; the texts are not touched where no column asks for them. One thread.
#pragma once

#include "cache/query/view_source.hpp"

namespace alli::cache {

/// Which rows: all, those of a conversation, or those of the chats of an id.
struct ViewSelection {
    std::optional<std::string> conversation, chat;
    bool texts = true;
};

class ViewCursor {
  public:
    virtual ~ViewCursor() = default;
    virtual bool next() = 0; // to the first, then to the next row; false: there is none
    virtual ViewValue value(std::size_t column) const = 0;
};

std::unique_ptr<ViewCursor> conversations_of(ViewSource& source, const ViewSelection& selection);
std::unique_ptr<ViewCursor> chats_of(ViewSource& source, const ViewSelection& selection);
std::unique_ptr<ViewCursor> citations_of(ViewSource& source, const ViewSelection& selection);

} // namespace alli::cache
