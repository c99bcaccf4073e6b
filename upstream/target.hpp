// SPDX-License-Identifier: Apache-2.0
// The paths of the contract, percent-encoded: ids are opaque bytes, so only what RFC 3986 calls unreserved stays as it
// is. Pure.
#pragma once

#include "alli/ids.hpp"

#include <string>
#include <string_view>

namespace alli::upstream {

inline constexpr std::string_view conversations_path = "/webapi/v2/conversations";
inline constexpr std::string_view categories_path = "/webapi/v2/conversation_categories";

std::string percent_encoded(std::string_view bytes);

/// "/webapi/v2/conversations/{id}" and, after it, `rest` as it is ("/title").
std::string conversation_target(const ConversationId& id, std::string_view rest = {});
std::string chat_target(const ConversationId& id, const ChatId& chat, std::string_view rest = {});

/// Appends "?name=value" or, behind a first one, "&name=value".
void add_query(std::string& target, std::string_view name, std::string_view value);

} // namespace alli::upstream
