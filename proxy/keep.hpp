// SPDX-License-Identifier: Apache-2.0
// What a miss brought, kept: conversations that are whole and that the mirror did not have, and what a chat tells
// alone. Nothing of it counts as covered, and nothing that is there is changed: an answer of upstream's may be older
// than what the engine put meanwhile. Of what differs, or is not whole, the engine is told.
#pragma once

#include "alli/ids.hpp"
#include "proxy/server.hpp"

#include <string>
#include <vector>

namespace alli::proxy {

/// What an answer is, and of what.
struct Kept {
    enum class What { nothing, list, conversation, chats, chat, variables, categories, count };

    What what = What::nothing;
    ConversationId id;
    int page_no = 1; // of chats
    ChatId chat;
    std::vector<std::string> names; // of variables
    std::uint64_t of = 0;           // the chat as a page has it: cache/detail.hpp
};

/// Whether anything was put. Never throws: the answer goes to who asked for it all the same; what failed is logged.
Task<bool> keep(const Needs& needs, Kept kept, const std::string& body);

} // namespace alli::proxy
