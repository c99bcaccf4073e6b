// SPDX-License-Identifier: Apache-2.0
#include "proxy/waiting.hpp"

#include "cache/overlay_answer.hpp"
#include "proxy/routes.hpp"
#include "proxy/withhold.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

struct Shaped {
    std::string_view operation;
    cache::Shape shape;
};
constexpr std::array shapes{
    Shaped{"listConversations", cache::Shape::list},
    Shaped{"getConversation", cache::Shape::conversation},
    Shaped{"listChats", cache::Shape::chats},
    Shaped{"getChat", cache::Shape::chat},
};

std::string id_at(const Match& match, std::size_t place)
{
    return match.ids.size() > place ? match.ids[place] : std::string();
}

} // namespace

void show_waiting(const Needs& needs, std::string_view target, Clock::Steady asked_at, upstream::Reply& reply)
{
    if (reply.status != 200 || !needs.store.read([](cache::Reader& db) { return cache::has_edits(db); })) return;
    const Match match = find_route("GET", split_target(target).path);
    const auto* found = std::find_if(shapes.begin(), shapes.end(), [&](const Shaped& shaped) {
        return match.route && shaped.operation == match.route->operation;
    });
    if (found == shapes.end()) return;
    const ConversationId id{id_at(match, 0)};
    const ChatId chat{id_at(match, 1)};
    cache::UnderEdits shown = needs.store.read(
        [&](cache::Reader& db) { return cache::under_edits(db, found->shape, id, chat, reply.body, asked_at); });
    if (shown.removed) become_absent(reply);
    if (shown.body) put_body(reply, std::move(*shown.body));
}

} // namespace alli::proxy
