// SPDX-License-Identifier: Apache-2.0
// One chat, asked for alone: upstream may tell more of it then (its steps) than a page of chats does. That is kept
// beside the page's version, for as long as that one stays what it was.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <string>

namespace alli::cache {

struct FoundChat {
    std::string raw;    // the detail where it is known, else what a page of chats has
    std::uint64_t of;   // the mark of the page's version, for put_chat_detail
    bool whole = false; // no more can be told: the detail is known and belongs to this version
    bool grows = false; // its message is still being written
};
std::optional<FoundChat> find_chat(Reader& db, const ConversationId& id, const ChatId& chat);

/// Keeps what upstream told of a chat alone. False, and nothing, when the page's version is not that of `of` any more.
bool put_chat_detail(Writer& db, const ConversationId& id, const ChatId& chat, std::uint64_t of,
                     const std::string& raw);

} // namespace alli::cache
