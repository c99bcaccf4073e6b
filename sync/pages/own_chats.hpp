// SPDX-License-Identifier: Apache-2.0
// Pages of chats carry no conversation's id: what shows that one is the answer to another request is that the mirror
// holds its chats under another conversation. Runs on the engine's loop.
#pragma once

#include "alli/page_sizes.hpp"
#include "cache/store.hpp"
#include "upstream/client.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace alli::sync {

/// Which page has the chat of that ordinal; 1 is the oldest.
constexpr int page_of(std::int64_t ordinal)
{
    return static_cast<int>(ordinal / chats_a_page) + 1;
}

/// Whether chats are known under another conversation than the one that was asked for.
using KnownElsewhere = std::function<bool(const std::vector<Chat>&)>;
KnownElsewhere known_elsewhere(cache::Store& store, ConversationId id);

/// A page of chats, asked for again where it looks like another conversation's. Twice the same is upstream's word. None
/// when the conversation does not exist. Throws what the client throws, and Error{bad_reply} where the two differ and
/// the second is another's too.
Task<std::optional<std::vector<Chat>>> list_own_chats(upstream::Client& client, ConversationId id, int page,
                                                      upstream::Priority priority, KnownElsewhere elsewhere);

} // namespace alli::sync
