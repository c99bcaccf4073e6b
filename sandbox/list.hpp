// SPDX-License-Identifier: Apache-2.0
// The list of conversations: its filters, its four orders, its two kinds of cursor, and its JSON.
#pragma once

#include "sandbox/call.hpp"
#include "sandbox/model.hpp"
#include "sandbox/options.hpp"

#include <string>
#include <vector>

namespace alli::sandbox {

/// One page, as JSON. Throws Error{usage} for a bad parameter or a cursor that is not ours.
std::string list_page(const World& world, const Options& options, const Query& query);

/// Appends one conversation with its last `embedded` chats, and those of `variables` that it has when any are named.
void append_conversation(std::string& out, const Conversation& conversation, std::size_t embedded,
                         const std::vector<std::string>& variables);

/// One entry a day from `startDate` to `endDate`, as JSON.
std::string daily_counts(const World& world, const Query& query);

} // namespace alli::sandbox
