// SPDX-License-Identifier: Apache-2.0
// What was purged here and upstream still has is not shown: requests that name it are answered 404, and it is taken out
// of upstream's answers to reads of the contract. Any thread.
#pragma once

#include "proxy/answer.hpp"
#include "proxy/server.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

struct Match;

/// In upstream's shape.
Response no_such_conversation();

/// Another body than upstream sent: its tag does not go with it.
void put_body(upstream::Reply& reply, std::string body);
/// The answer of upstream's becomes no_such_conversation().
void become_absent(upstream::Reply& reply);

/// Whether the path is about a conversation that was purged; `match`: what it was found to be.
bool names_purged(const Needs& needs, std::string_view path, const Match& match);

/// What tells whose conversation a read of chats is about, where the mirror does not hold it: a purged person's is not
/// shown either. None: the answer itself tells, or nothing was purged.
std::optional<std::string> target_to_look_at(const Needs& needs, std::string_view target);

/// Takes purged conversations out of upstream's answer with a list, and makes its answer with a purged one a 404. Other
/// answers stay, byte for byte. Throws Error{bad_reply} for what cannot be read.
void withhold_purged(const Needs& needs, std::string_view target, upstream::Reply& reply);

} // namespace alli::proxy
