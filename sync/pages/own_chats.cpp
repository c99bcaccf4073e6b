// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/own_chats.hpp"

#include "alli/error.hpp"
#include "cache/rows/chat_owner.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

bool are_equal(const std::vector<Chat>& a, const std::vector<Chat>& b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const Chat& left, const Chat& right) { return left.raw == right.raw; });
}

} // namespace

KnownElsewhere known_elsewhere(cache::Store& store, ConversationId id)
{
    return [&store, whose = std::move(id)](const std::vector<Chat>& chats) {
        return store.read([&](cache::Reader& db) { return cache::is_known_elsewhere(db, whose, chats); });
    };
}

Task<std::optional<std::vector<Chat>>> list_own_chats(upstream::Client& client, ConversationId id, int page,
                                                      upstream::Priority priority, KnownElsewhere elsewhere)
{
    auto chats = co_await client.list_chats(id, page, priority);
    if (!chats || !elsewhere || !elsewhere(*chats)) co_return chats;
    auto again = co_await client.list_chats(id, page, priority);
    if (again && elsewhere(*again) && !are_equal(*chats, *again))
        throw Error(Fault::bad_reply, upstream::foreign_hint,
                    "a page of chats: what came belongs to another conversation");
    co_return again;
}

} // namespace alli::sync
