// SPDX-License-Identifier: Apache-2.0
// What was purged here and upstream still has is not shown: requests that name it are answered 404, and it is taken out
// of upstream's answers to reads of the contract. Any thread.
#pragma once

#include "proxy/answer.hpp"
#include "proxy/server.hpp"

#include <string_view>

namespace alli::proxy {

/// In upstream's shape.
Response no_such_conversation();

/// Whether the path is about a conversation that was purged.
bool names_purged(const Needs& needs, std::string_view path);

/// Takes purged conversations out of upstream's answer with a list, and makes its answer with a purged one a 404. Other
/// answers stay, byte for byte. Throws Error{bad_reply} for what cannot be read.
void withhold_purged(const Needs& needs, std::string_view target, upstream::Reply& reply);

} // namespace alli::proxy
