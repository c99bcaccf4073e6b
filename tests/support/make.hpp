// SPDX-License-Identifier: Apache-2.0
// Conversations and chats for tests, made as the wire would bring them.
#pragma once

#include "alli/wire.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace support {

/// Chat `n` of a conversation: id "<conversation>/n", sent `seconds` after the epoch.
inline nlohmann::json chat_json(const std::string& conversation, int n, std::int64_t seconds, const std::string& text)
{
    nlohmann::json chat;
    chat["id"] = conversation + '/' + std::to_string(n);
    chat["sender"] = n % 2 == 0 ? "USER" : "BOT";
    chat["message"] = text;
    chat["timestamp"] = seconds;
    return chat;
}

inline alli::Chat make_chat(const std::string& conversation, int n, std::int64_t seconds, const std::string& text)
{
    alli::TimeUnit unit = alli::TimeUnit::seconds;
    return alli::read_chat(chat_json(conversation, n, seconds, text).dump(), unit);
}

/// A conversation whose last chat was `seconds` after the epoch; 0: one without a chat.
inline alli::Conversation make_conversation(const std::string& id, std::int64_t seconds,
                                            const nlohmann::json& more = nlohmann::json::object())
{
    nlohmann::json made;
    made["id"] = id;
    made["title"] = "about " + id;
    made["createdAt"] = seconds > 0 ? seconds - 1 : 1;
    if (seconds > 0)
        made["lastChatTime"] = seconds;
    else
        made["lastChatTime"] = nullptr;
    made["chats"] = nlohmann::json::array();
    made.update(more);
    alli::TimeUnit unit = alli::TimeUnit::seconds;
    return alli::read_conversation(made.dump(), unit);
}

inline alli::Instant at_second(std::int64_t seconds)
{
    return alli::Instant{std::chrono::seconds{seconds}};
}

} // namespace support
