// SPDX-License-Identifier: Apache-2.0
// Row-level access: the conversations that a caller may see, by app and user, as the mirror's rows are now. A
// conversation becomes visible or invisible when its row changes.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

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

/// Whether the mirror holds the conversation and it is visible.
bool is_visible(Reader& db, const ConversationId& id, const Visibility& seen);

/// The keys of the visible rows, in no order. `seen` is not whole.
std::vector<std::int64_t> visible_keys(Reader& db, const Visibility& seen);

/// The number of visible conversations and of their held chats. `seen` is not whole.
struct VisibleTotals {
    std::int64_t conversations = 0, chats = 0;
};
VisibleTotals count_visible(Reader& db, const Visibility& seen);

/// Appended to a cursor's binding: empty for a whole view, and different for every narrowed view.
std::string binding_of(const Visibility& seen);

} // namespace alli::cache
