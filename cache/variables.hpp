// SPDX-License-Identifier: Apache-2.0
// A conversation with its variables: those that upstream was asked for are kept apart, and put together for each
// request. Values are upstream's own bytes.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <span>
#include <string>

namespace alli::cache {

struct WithVariables {
    std::string body;    // one conversation as upstream sends it alone, with these variables
    Instant verified_at; // the oldest of them
};
/// None where the conversation or one of the variables is not known.
std::optional<WithVariables> find_with_variables(Reader& db, const ConversationId& id,
                                                 std::span<const std::string> names);

/// Keeps what `body`, upstream's answer to a request for these names, says. False where it names none, or the
/// conversation is not mirrored. Throws Error{bad_reply} when it cannot be read.
bool put_variables(Writer& db, const ConversationId& id, std::span<const std::string> names, const std::string& body,
                   Instant now);

} // namespace alli::cache
