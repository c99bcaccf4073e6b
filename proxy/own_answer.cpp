// SPDX-License-Identifier: Apache-2.0
#include "proxy/own_answer.hpp"

#include "proxy/routes.hpp"
#include "upstream/authenticity.hpp"

namespace alli::proxy {

bool is_own_answer(std::string_view target, const upstream::Reply& reply)
{
    const Match match = find_route("GET", split_target(target).path);
    const std::string_view operation = match.route ? match.route->operation : "";
    upstream::Expected expected{upstream::Shape::list}; // taken apart before it is kept
    if (operation == "getConversation") expected = {upstream::Shape::conversation, match.ids[0]};
    if (operation == "getChat") expected = {upstream::Shape::chat, match.ids[1]};
    return upstream::origin_of(reply, expected) == upstream::Origin::service;
}

} // namespace alli::proxy
