// SPDX-License-Identifier: Apache-2.0
#include "cache/text/facts.hpp"

#include "alli/json_text.hpp"
#include "cache/text/plain_chat.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

using simdjson::dom::element;

std::optional<bool> truth_of(JsonValue value)
{
    if (value.text == "true") return true;
    if (value.text == "false") return false;
    return std::nullopt;
}

std::optional<bool> truth_of(element value)
{
    bool truth = false;
    return value.get(truth) == simdjson::SUCCESS ? std::optional(truth) : std::nullopt;
}

bool is_given(JsonValue value)
{
    if (value.is_string()) return value.text.size() > 2;
    if (value.is_array()) return JsonItems(value).next();
    if (value.is_object()) return JsonMembers(value).next();
    return !value.text.empty() && !value.is_null() && value.text != "false";
}

bool is_given(element value)
{
    std::string_view text;
    simdjson::dom::array items;
    simdjson::dom::object members;
    if (value.get(text) == simdjson::SUCCESS) return !text.empty();
    if (value.get(items) == simdjson::SUCCESS) return items.size() > 0;
    if (value.get(members) == simdjson::SUCCESS) return members.size() > 0;
    return !value.is_null() && truth_of(value) != false;
}

/// Of a parsed value and of one that is only scanned.
template <class V>
struct ChatField {
    std::string_view name;
    void (*read)(ChatFacts& facts, V value);
};
template <class V>
constexpr auto chat_fields = std::to_array<ChatField<V>>({
    {"rating", [](ChatFacts& facts, V value) { facts.rating = truth_of(value); }},
    {"agentRating", [](ChatFacts& facts, V value) { facts.agent_rating = truth_of(value); }},
    {"feedbackSelection", [](ChatFacts& facts, V value) { facts.feedback |= is_given(value); }},
    {"suggestedAnswer", [](ChatFacts& facts, V value) { facts.feedback |= is_given(value); }},
    {"citations", [](ChatFacts& facts, V value) { facts.citations = is_given(value); }},
    {"intermediateSteps", [](ChatFacts& facts, V value) { facts.steps = is_given(value); }},
});

template <class V>
void read_field(ChatFacts& facts, std::string_view name, V value)
{
    for (const ChatField<V>& field : chat_fields<V>)
        if (name == field.name) field.read(facts, value);
}

std::int64_t count_characters(std::string_view text)
{
    return std::count_if(text.begin(), text.end(),
                         [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; });
}

// A text, or what names an object that stands in its place.
std::string name_in(JsonValue value)
{
    if (value.is_string()) return text_of(value);
    for (const std::string_view key : {"name", "email", "id"})
        if (const JsonValue name = find_member(value, key); value.is_object() && name.is_string()) return text_of(name);
    return {};
}

} // namespace

ChatFacts facts_of_chat(std::string_view raw_chat)
{
    return content_of_chat(raw_chat).facts;
}

ChatContent content_of_chat(std::string_view raw_chat)
{
    ChatContent content;
    element chat;
    std::string message;
    if (read_plain_chat(raw_chat, chat, content.words, message)) {
        for (const auto [name, value] : simdjson::dom::object(chat)) read_field(content.facts, name, value);
        content.facts.length = count_characters(message);
        return content;
    }
    content.words = words_of_chat(raw_chat);
    for (JsonMembers member(whole_value(raw_chat)); member.next();) read_field(content.facts, member.key, member.value);
    content.facts.length = count_characters(message_of_chat(raw_chat));
    return content;
}

bool has_steps(std::string_view raw_chat)
{
    return is_given(find_member(whole_value(raw_chat), "intermediateSteps"));
}

ConversationFacts facts_of_conversation(std::string_view raw_conversation)
{
    ConversationFacts facts;
    for (JsonMembers member(whole_value(raw_conversation)); member.next();) {
        if (member.key == "state") facts.state = name_in(member.value);
        if (member.key == "assignee") facts.assignee = name_in(member.value);
        if (member.key == "channel") facts.channel = name_in(member.value);
    }
    return facts;
}

bool answers(std::string_view sender)
{
    constexpr std::string_view user = "user";
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
    return !std::equal(sender.begin(), sender.end(), user.begin(), user.end(), same);
}

} // namespace alli::cache
