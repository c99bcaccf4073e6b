// SPDX-License-Identifier: Apache-2.0
#include "cache/words.hpp"

#include "cache/marks.hpp"

#include <simdjson.h>

namespace alli::cache {
namespace {

using simdjson::dom::element;

void append_line(std::string& text, std::string_view line)
{
    if (line.empty()) return;
    if (!text.empty()) text += '\n';
    text += line;
}

std::string_view text_at(element object, std::string_view key)
{
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

// A parser keeps the document it read: the message inside a chat needs one of its own.
simdjson::dom::parser& chat_parser()
{
    thread_local simdjson::dom::parser parser;
    return parser;
}

simdjson::dom::parser& message_parser()
{
    thread_local simdjson::dom::parser parser;
    return parser;
}

} // namespace

std::string readable(std::string_view message)
{
    simdjson::dom::array blocks;
    element root;
    if (!message.starts_with('{') ||
        message_parser().parse(message.data(), message.size()).get(root) != simdjson::SUCCESS ||
        root["blocks"].get(blocks) != simdjson::SUCCESS)
        return std::string(message);

    std::string text;
    for (const element block : blocks) append_line(text, text_at(block, "text"));
    return text;
}

ChatWords words_of_chat(std::string_view raw_chat)
{
    ChatWords words;
    element chat;
    if (chat_parser().parse(raw_chat.data(), raw_chat.size()).get(chat) != simdjson::SUCCESS) return words;

    words.text = without_marks(readable(text_at(chat, "message")));
    simdjson::dom::array citations;
    if (chat["citations"].get(citations) != simdjson::SUCCESS) return words;
    for (const element citation : citations) {
        append_line(words.citations, text_at(citation, "title"));
        append_line(words.citations, without_marks(text_at(citation, "text")));
    }
    return words;
}

std::string message_of_chat(std::string_view raw_chat)
{
    element chat;
    if (chat_parser().parse(raw_chat.data(), raw_chat.size()).get(chat) != simdjson::SUCCESS) return {};
    return readable(text_at(chat, "message"));
}

} // namespace alli::cache
