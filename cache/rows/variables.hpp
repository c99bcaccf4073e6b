// SPDX-License-Identifier: Apache-2.0
// A conversation with its variables: those that upstream was asked for are kept apart, and put together for each
// request. Values are upstream's own bytes.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <span>
#include <string>
#include <string_view>

namespace alli::cache {

struct WithVariables {
    std::string body;    // one conversation as upstream sends it alone, with these variables
    Instant verified_at; // the oldest of them
};
/// None where the conversation or one of the variables is not known.
std::optional<WithVariables> find_with_variables(Reader& db, const ConversationId& id,
                                                 std::span<const std::string> names);

/// Puts the variables behind the other members of a conversation: `body` ends with it, `raw` is its row's. False, and
/// `body` as it was, where one of them is not known. `verified_at` becomes that of the oldest, if it was younger.
bool append_variables(Reader& db, std::int64_t pk, std::string_view raw, std::span<const std::string> names,
                      std::string& body, Instant& verified_at);

/// Keeps what `body`, upstream's answer to a request for these names, says. False where it names none, or the
/// conversation is not mirrored. Throws Error{bad_reply} when it cannot be read.
bool put_variables(Writer& db, const ConversationId& id, std::span<const std::string> names, const std::string& body,
                   Instant now);
/// The same of their JSON object alone.
bool put_variables_object(Writer& db, const ConversationId& id, std::span<const std::string> names,
                          const std::string& object, Instant now);

} // namespace alli::cache
