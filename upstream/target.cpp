// SPDX-License-Identifier: Apache-2.0
#include "upstream/target.hpp"

namespace alli::upstream {
namespace {

constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

} // namespace

std::string percent_encoded(std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text;
    text.reserve(bytes.size() + 8);
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (unreserved.find(c) != unreserved.npos) {
            text += c;
        } else {
            text += '%';
            text += digits[byte >> 4];
            text += digits[byte & 15];
        }
    }
    return text;
}

std::string conversation_target(const ConversationId& id, std::string_view rest)
{
    std::string target(conversations_path);
    target += '/';
    target += percent_encoded(id.value);
    target += rest;
    return target;
}

std::string chat_target(const ConversationId& id, const ChatId& chat, std::string_view rest)
{
    std::string target = conversation_target(id, "/chats/");
    target += percent_encoded(chat.value);
    target += rest;
    return target;
}

void add_query(std::string& target, std::string_view name, std::string_view value)
{
    target += target.find('?') == target.npos ? '?' : '&';
    target += percent_encoded(name);
    target += '=';
    target += percent_encoded(value);
}

} // namespace alli::upstream
