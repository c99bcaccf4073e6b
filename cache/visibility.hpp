// SPDX-License-Identifier: Apache-2.0
// Row-level access: the conversations that a reader may see, by app and user, as the mirror's rows say now. A
// conversation whose app or user changes upstream comes into view, or leaves it, with its row.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

/// Where both are given, both must hold.
struct Visibility {
    std::string app;  // an app's id; empty: any
    std::string user; // a user's id; empty: any

    bool is_whole() const noexcept { return app.empty() && user.empty(); }
    bool operator==(const Visibility&) const = default;
};

/// Whether the mirror holds the conversation and it is in view.
bool is_visible(Reader& db, const ConversationId& id, const Visibility& seen);

/// Likewise, or its deletion waits and it was in view before: for what is told of writes.
bool is_visible_or_hidden(Reader& db, const ConversationId& id, const Visibility& seen);

/// The keys of the rows in view, in no order. `seen` is not whole.
std::vector<std::int64_t> visible_keys(Reader& db, const Visibility& seen);

/// How many conversations are in view, and how many of their chats are held. `seen` is not whole.
struct VisibleTotals {
    std::int64_t conversations = 0, chats = 0;
};
VisibleTotals count_visible(Reader& db, const Visibility& seen);

/// Appended to a cursor's binding: nothing for a whole view, and no two narrowed views read alike.
std::string binding_of(const Visibility& seen);

} // namespace alli::cache
