// SPDX-License-Identifier: Apache-2.0
// The reader of pages: any bytes as a page, and as one value somewhere in an item of a page. It throws nothing but
// Error{bad_reply}; raw texts are pieces of what was given; the neighbours of an odd item are read as before.
#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "alli/tolerant_wire.hpp"
#include "cache/rows/edit.hpp"
#include "cache/text/words.hpp"
#include "tests/fuzz/target.hpp"

#include <nlohmann/json.hpp>

#include <array>

using namespace alli;

static constexpr std::array<std::string_view, 10> places{
    R"({"id":"odd","x":@,"chats":[{"id":"k"}]})",
    R"({"id":"odd","chats":[{"id":"k","message":@}],"lastChatTime":1.5})",
    R"({"id":"odd","chats":[@,{"id":"k","citations":[@]}]})",
    R"({"id":"odd","chats":@,"user":{"userId":@}})",
    R"({"id":"odd","user":@,"categories":@,"llmApp":@})",
    R"({"id":@,"title":@,"lastChatTime":@})",
    R"({"id":"odd","variables":@,"chats":[]})",
    R"({"id":"odd","createdAt":@,"chatCount":@,"isEnd":@})",
    R"({@,"id":"odd","chats":[],@})",
    R"(@)"};

static constexpr std::string_view before = R"({"id":"before","lastChatTime":20,"chats":[{"id":"b1"}]})",
                                  after = R"({"id":"after","title":"t","chats":[],"lastChatTime":10})";

/// None: bad_reply.
template <class Read>
static auto read(Read function) -> std::optional<decltype(function())>
{
    try {
        return function();
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::bad_reply, "a page that cannot be read is a bad reply");
        return std::nullopt;
    }
}

static std::string whole(const Conversation& conversation)
{
    std::string raw = conversation.raw, chats;
    for (const Chat& chat : conversation.chats) chats += (chats.empty() ? "" : ",") + chat.raw;
    return conversation.chats_at ? raw.insert(*conversation.chats_at, chats) : raw;
}

static void check_parts(std::string_view body, const Conversation& conversation)
{
    fuzz::require(!conversation.id.value.empty(), "everything has an id");
    for (const Chat& chat : conversation.chats)
        fuzz::require(body.find(chat.raw) != body.npos, "a chat's text is a piece of the page");
    if (!conversation.chats_at && !conversation.variables) {
        fuzz::require(body.find(conversation.raw) != body.npos, "an item's text is a piece of the page");
        return;
    }
    const std::size_t cut = conversation.chats_at.value_or(0);
    fuzz::require(cut <= conversation.raw.size(), "chats belong into the text");
    if (!conversation.variables) {
        fuzz::require(body.find(conversation.raw.substr(0, cut)) != body.npos, "what is before the chats is a piece");
        fuzz::require(body.find(conversation.raw.substr(cut)) != body.npos, "and what is behind them");
    }
}

static void check_row(const Conversation& conversation)
{
    TimeUnit unit = TimeUnit::seconds;
    for (const Chat& chat : conversation.chats) {
        fuzz::require(reread_chat(chat.raw, unit).id == chat.id, "a chat that is held reads the same");
        fuzz::require(cache::words_of_chat(chat.raw) == cache::words_of_chat(chat.raw),
                      "its words can be removed again");
        cache::message_of_chat(chat.raw);
    }
    reread_item(conversation.raw, unit);
    const std::string readable = readable_json(conversation.raw);
    fuzz::require(!nlohmann::json::parse(readable, nullptr, false).is_discarded(), "what is ours is JSON");
    const cache::Patch patch{{"title", "\"new\""}};
    const std::string patched = cache::with_patch(conversation.raw, patch);
    if (conversation.raw.ends_with('}'))
        fuzz::require(cache::values_of(patched, patch)[0].second == "\"new\"", "an edit shows");
}

static void check_any(std::string_view text)
{
    const std::array<std::string, 1> names{"plan"};
    const std::string body(text);
    TimeUnit unit = TimeUnit::unknown;
    if (const auto page = read([&] { return read_conversation_page(body, unit, names); }))
        for (const Conversation& one : page->conversations) check_parts(text, one), check_row(one);
    if (const auto one = read([&] { return read_conversation(body, unit); })) check_parts(text, *one);
    read([&] { return read_chat_page(body, unit); });
    read([&] { return read_chat(body, unit); });
    if (const auto page = read([&] { return salvage_conversation_page(body, unit, names); }))
        for (const Conversation& one : page->conversations) check_row(one);
    for (const std::size_t expected : {1, 2, 3}) read([&] { return salvage_chat_page(body, unit, expected); });
    readable_json(text);
}

static std::string put_into(std::string_view place, std::string_view value)
{
    std::string item;
    for (const char c : place)
        if (c == '@')
            item += value;
        else
            item += c;
    return item;
}

static void check_as_value(std::string_view value, std::string_view place)
{
    if (value.empty() || end_of_value(value, 0) != value.size()) return;
    const std::string item = put_into(place, value);
    const std::string body =
        R"({"conversations":[)" + std::string(before) + "," + item + "," + std::string(after) + R"(],"cursor":"c"})";
    TimeUnit unit = TimeUnit::seconds;
    const auto page = read([&] { return read_conversation_page(body, unit); });
    fuzz::require(page && page->conversations.size() == 3, "what one item holds is nobody else's trouble");
    fuzz::require(whole(page->conversations[0]) == before, "the one before is whole");
    fuzz::require(whole(page->conversations[2]) == after, "and the one behind");
    fuzz::require(page->cursor == "c", "and the way on");
    check_parts(body, page->conversations[1]);
    check_row(page->conversations[1]);
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::text_of(data, size);
    check_any(text);
    if (text.empty()) return 0;
    const std::string_view place = places[static_cast<unsigned char>(text.front()) % places.size()];
    check_as_value(text, place);
    check_as_value(text.substr(1), place);
    check_as_value('"' + std::string(text) + '"', place);
    check_as_value('[' + std::string(text) + ']', place);
    check_as_value('{' + std::string(text) + '}', place);
    return 0;
}
