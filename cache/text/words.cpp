// SPDX-License-Identifier: Apache-2.0
#include "cache/text/words.hpp"

#include "alli/json_text.hpp"
#include "cache/text/markdown.hpp"
#include "cache/text/plain_chat.hpp"

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

// False: there is something else than a text.
bool is_text_or_nothing(element object, std::string_view key)
{
    element value;
    if (object[key].get(value) != simdjson::SUCCESS) return true;
    return value.is_string() || value.is_null();
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

// What is not quite JSON, or not of the types that the contract says: all text that can be decoded.

std::string texts_of_blocks(JsonValue blocks)
{
    std::string text;
    for (JsonItems block(blocks); block.next();) append_line(text, text_of(find_member(block.value, "text")));
    return text;
}

// Every string in it that names no member, wherever it stands.
std::string all_texts(std::string_view nested)
{
    std::string text;
    for (std::size_t at = nested.find('"'); at != nested.npos; at = nested.find('"', at)) {
        const std::size_t end = end_of_value(nested, at);
        if (end == nested.npos) break;
        const std::size_t next = nested.find_first_not_of(" \t\r\n", end);
        const bool names = next != nested.npos && nested[next] == ':';
        if (!names) append_line(text, decode_text(nested.substr(at + 1, end - at - 2)).text);
        at = end;
    }
    return text;
}

std::string words_of(JsonValue value)
{
    if (value.is_string()) return readable(text_of(value));
    if (value.is_object() || value.is_array()) {
        const JsonValue blocks = find_member(value, "blocks");
        return blocks.is_array() ? texts_of_blocks(blocks) : all_texts(value.text);
    }
    const bool number = !value.text.empty() && value.text.find_first_not_of("+-.0123456789Ee") == value.text.npos;
    return number ? std::string(value.text) : std::string();
}

void add_citation(std::string& text, JsonValue citation)
{
    if (!citation.is_object()) return append_line(text, words_of(citation));
    append_line(text, words_of(find_member(citation, "title")));
    append_line(text, strip_markdown(words_of(find_member(citation, "text"))));
}

std::string readable_blocks(std::string_view message)
{
    const JsonValue blocks = find_member(whole_value(message), "blocks");
    return blocks.is_array() ? texts_of_blocks(blocks) : std::string(message);
}

ChatWords odd_words(std::string_view raw_chat)
{
    const JsonValue chat = whole_value(raw_chat), citations = find_member(chat, "citations");
    ChatWords words;
    words.text = strip_markdown(words_of(find_member(chat, "message")));
    if (!citations.is_array()) add_citation(words.citations, citations);
    for (JsonItems citation(citations); citation.next();) add_citation(words.citations, citation.value);
    return words;
}

// None: a member is of another type than the contract says.
std::optional<std::string> plain_citations(element chat)
{
    std::string words;
    element value;
    if (chat["citations"].get(value) != simdjson::SUCCESS || value.is_null()) return words;
    simdjson::dom::array citations;
    if (value.get(citations) != simdjson::SUCCESS) return std::nullopt;
    for (const element citation : citations) {
        if (!citation.is_object() || !is_text_or_nothing(citation, "title") || !is_text_or_nothing(citation, "text"))
            return std::nullopt;
        append_line(words, text_at(citation, "title"));
        append_line(words, strip_markdown(text_at(citation, "text")));
    }
    return words;
}

} // namespace

std::string readable(std::string_view message)
{
    simdjson::dom::array blocks;
    element root;
    if (!message.starts_with('{')) return std::string(message);
    if (message_parser().parse(message.data(), message.size()).get(root) != simdjson::SUCCESS)
        return readable_blocks(message);
    if (root["blocks"].get(blocks) != simdjson::SUCCESS) return std::string(message);
    std::string text;
    for (const element block : blocks) append_line(text, text_at(block, "text"));
    return text;
}

bool read_plain_chat(std::string_view raw_chat, element& chat, ChatWords& words, std::string& message)
{
    if (chat_parser().parse(raw_chat.data(), raw_chat.size()).get(chat) != simdjson::SUCCESS) return false;
    if (!chat.is_object() || !is_text_or_nothing(chat, "message")) return false;
    auto citations = plain_citations(chat);
    if (!citations) return false;
    message = readable(text_at(chat, "message"));
    words = {strip_markdown(message), std::move(*citations)};
    return true;
}

ChatWords words_of_chat(std::string_view raw_chat)
{
    element chat;
    ChatWords words;
    std::string message;
    return read_plain_chat(raw_chat, chat, words, message) ? words : odd_words(raw_chat);
}

ConversationWords words_of_conversation(std::string title, std::string user_name, std::string_view user_id,
                                        std::string memo)
{
    append_line(user_name, user_id);
    return {std::move(title), std::move(user_name), std::move(memo)};
}

std::string message_of_chat(std::string_view raw_chat)
{
    element chat;
    std::string_view message;
    if (chat_parser().parse(raw_chat.data(), raw_chat.size()).get(chat) == simdjson::SUCCESS &&
        chat["message"].get(message) == simdjson::SUCCESS)
        return readable(message);
    return words_of(find_member(whole_value(raw_chat), "message"));
}

} // namespace alli::cache
