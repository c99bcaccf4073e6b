// SPDX-License-Identifier: Apache-2.0
// Rows to publish, and as one text what came of them.
#pragma once

#include "cache/replica/published.hpp"

#include <spdlog/fmt/fmt.h>

#include <string>
#include <string_view>

namespace cluster_tests {

using alli::Instant;
using alli::cache::PublishedChat;
using alli::cache::PublishedConversation;
using alli::cache::PublishedRows;

inline PublishedConversation conversation(std::string id, std::int64_t held = 0)
{
    PublishedConversation row;
    row.id = std::move(id);
    row.item = R"({"id":")" + row.id + R"(","chats":[]})";
    row.held = held;
    row.title = "Trip";
    row.app_id = "app1";
    row.variables = "t1:xt1:1i7;";
    row.created_at = Instant(std::chrono::seconds(1'769'851'800));
    return row;
}

inline PublishedChat chat(std::string of, std::int64_t ordinal, std::string message = "Hello")
{
    PublishedChat row;
    row.conversation = std::move(of);
    row.ordinal = ordinal;
    row.id = "c" + std::to_string(ordinal);
    row.chat = R"({"message":")" + message + R"("})";
    row.sender = "USER";
    row.sent_at = Instant(std::chrono::microseconds(1'769'851'800'123'456) + std::chrono::seconds(ordinal));
    row.message = std::move(message);
    row.detail = std::string("i7;n\0\xff", 6);
    return row;
}

/// A conversation with so many chats.
inline PublishedRows whole(const std::string& id, std::int64_t held)
{
    PublishedRows rows;
    rows.conversations.push_back(conversation(id, held));
    for (std::int64_t ordinal = 0; ordinal < held; ++ordinal) rows.chats.push_back(chat(id, ordinal));
    return rows;
}

template <class T>
std::string say(const std::optional<T>& value)
{
    if (!value) return "-";
    if constexpr (std::is_same_v<T, Instant>)
        return std::to_string(value->time_since_epoch().count());
    else
        return fmt::format("{}", *value);
}

/// Every field of every row, in their order.
inline std::string say(const PublishedRows& rows)
{
    std::string text;
    for (const PublishedConversation& row : rows.conversations)
        text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", row.id, row.deleted,
                            say(row.deleted_at), row.item, say(row.chats_at), row.held, say(row.last_chat_at),
                            say(row.created_at), say(row.title), say(row.user_id), say(row.app_id), row.user_name,
                            row.state, row.categories, row.is_end, row.variables);
    for (const PublishedChat& row : rows.chats)
        text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}\n", row.conversation, row.ordinal, row.id, row.chat,
                            row.sender, say(row.sent_at), row.message, row.rating, row.agent_rating, row.feedback,
                            row.suggested_answer, row.detail);
    for (const alli::cache::PublishedState& row : rows.state) text += row.name + "=" + row.value + "\n";
    return text;
}

} // namespace cluster_tests
