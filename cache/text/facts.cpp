// SPDX-License-Identifier: Apache-2.0
#include "cache/text/facts.hpp"

#include "alli/json_text.hpp"
#include "cache/text/words.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

std::optional<bool> truth_of(JsonValue value)
{
    if (value.text == "true") return true;
    if (value.text == "false") return false;
    return std::nullopt;
}

bool is_given(JsonValue value)
{
    if (value.is_string()) return value.text.size() > 2;
    if (value.is_array()) return JsonItems(value).next();
    if (value.is_object()) return JsonMembers(value).next();
    return !value.text.empty() && !value.is_null() && value.text != "false";
}

struct ChatField {
    std::string_view name;
    void (*read)(ChatFacts& facts, JsonValue value);
};
constexpr auto chat_fields = std::to_array<ChatField>({
    {"rating", [](ChatFacts& facts, JsonValue value) { facts.rating = truth_of(value); }},
    {"agentRating", [](ChatFacts& facts, JsonValue value) { facts.agent_rating = truth_of(value); }},
    {"feedbackSelection", [](ChatFacts& facts, JsonValue value) { facts.feedback |= is_given(value); }},
    {"suggestedAnswer", [](ChatFacts& facts, JsonValue value) { facts.feedback |= is_given(value); }},
    {"citations", [](ChatFacts& facts, JsonValue value) { facts.citations = is_given(value); }},
    {"intermediateSteps", [](ChatFacts& facts, JsonValue value) { facts.steps = is_given(value); }},
});

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
    ChatFacts facts;
    for (JsonMembers member(whole_value(raw_chat)); member.next();)
        for (const ChatField& field : chat_fields)
            if (member.key == field.name) field.read(facts, member.value);
    facts.length = count_characters(message_of_chat(raw_chat));
    return facts;
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
