// SPDX-License-Identifier: Apache-2.0
// Cache fill after a miss: puts conversations that are whole and that the mirror did not have, and details of a chat.
// None of it counts as covered, and no row that is there changes, because the reply may be older than what the engine
// put meanwhile. What differs, or is not whole, the engine fetches again.
#pragma once

#include "alli/ids.hpp"
#include "proxy/request/backend.hpp"

#include <string>
#include <vector>

namespace alli::proxy {

/// What a reply is, and of what.
struct FillTarget {
    enum class What { nothing, list, conversation, chats, chat, variables, categories, count };

    What what = What::nothing;
    ConversationId id;
    int page_no = 1; // of chats
    ChatId chat;
    std::vector<std::string> names; // of variables
    std::uint64_t of = 0;           // the chat as a page has it: cache/chat_detail.hpp
};

/// True if anything was put. Never throws, because the reply goes to the client all the same: a failure is logged.
Task<bool> fill_cache(const Backend& backend, FillTarget target, const std::string& body);

} // namespace alli::proxy
