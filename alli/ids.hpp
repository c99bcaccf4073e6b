// SPDX-License-Identifier: Apache-2.0
// Ids of the service are opaque bytes (base64 of a typed id; '=', '+' and '/' are legal in them). One type a noun, so
// that a chat's id cannot be given where a conversation's belongs.
#pragma once

#include <compare>
#include <functional>
#include <string>

namespace alli {

template <class Noun>
struct Id {
    std::string value;

    auto operator<=>(const Id&) const = default;
};

using ConversationId = Id<struct ConversationNoun>;
using ChatId = Id<struct ChatNoun>;

} // namespace alli

template <class Noun>
struct std::hash<alli::Id<Noun>> {
    std::size_t operator()(const alli::Id<Noun>& id) const noexcept { return std::hash<std::string>{}(id.value); }
};
