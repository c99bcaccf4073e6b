// SPDX-License-Identifier: Apache-2.0
// Writes of the outbox that name what the suppression list names: they go with it. An entry has a name, not a hash, so
// that it is looked up in the list.
#pragma once

#include "alli/conversation.hpp"
#include "cache/purge_rows.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Every conversation and user that an entry of the outbox names.
struct NamedInOutbox {
    std::set<std::string> conversations, users;
};
NamedInOutbox find_named(Connection& outbox);
/// Of one more entry, by its columns. `body`, `base`: of a bulk update.
void add_named(NamedInOutbox& named, std::optional<std::string> conversation, std::string_view headers,
               std::string_view body, std::string_view base);

/// With what the mirror knows of them: whose they are, and how old.
std::vector<Conversation> find_known(Connection& mirror, const std::set<std::string>& conversations);

/// Which of them `outbox`'s own list names.
struct SuppressedOfOutbox {
    IdSet conversations;
    std::vector<PurgeOptions> users; // each alone
};
SuppressedOfOutbox find_suppressed(Connection& outbox, const std::vector<Conversation>& known,
                                   const std::set<std::string>& users);

/// Removes those that `outbox`'s own list names. `known` are the conversations, `users` the users that entries name.
PurgedWrites purge_suppressed_writes(Writer& outbox, const std::vector<Conversation>& known,
                                     const std::set<std::string>& users);

} // namespace alli::cache
