// SPDX-License-Identifier: Apache-2.0
#include "alli/wire.hpp"

#include "alli/error.hpp"
#include "alli/mend.hpp"
#include "alli/tolerant_wire.hpp"
#include "alli/wire_field.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace alli {
namespace {

namespace od = simdjson::ondemand;

// A value of another type than the contract says: left to the tolerant reader.
template <class T>
T need(simdjson::simdjson_result<T> result, std::string_view field)
{
    T value;
    if (const auto bad = std::move(result).get(value)) throw_unreadable(field, simdjson::error_message(bad));
    return value;
}

bool is_null(od::value& value, std::string_view field)
{
    return need(value.type(), field) == od::json_type::null;
}

std::optional<std::string> text_or_null(od::value value, std::string_view field)
{
    if (is_null(value, field)) return std::nullopt;
    return std::string(need(value.get_string(), field));
}

// An empty one leads nowhere, as none does.
std::optional<std::string> cursor_of(od::value value)
{
    auto cursor = text_or_null(value, "cursor");
    if (cursor && cursor->empty()) cursor.reset();
    return cursor;
}

// The text of a value as it was sent, without the white space that may follow it.
std::string_view trimmed(std::string_view raw)
{
    return raw.substr(0, raw.find_last_not_of(" \t\r\n") + 1);
}

std::optional<Instant> time_or_null(od::value value, std::string_view field, TimeUnit& unit)
{
    if (is_null(value, field)) return std::nullopt;
    const std::string_view token = trimmed(value.raw_json_token());
    const double number = need(value.get_double(), field);
    const auto when = read_instant(token, settle_unit(number, unit));
    if (!when) throw_unreadable(field, "a time out of range");
    return when;
}

std::int64_t whole_number(od::value value, std::string_view field)
{
    // A count may come as 3 or, from some serializers, as 3.0.
    std::int64_t whole = 0;
    if (!value.get_int64().get(whole)) return whole;
    const double number = need(value.get_double(), field);
    if (!(std::abs(number) < 9e15)) throw_unreadable(field, "a count out of range");
    return static_cast<std::int64_t>(number);
}

class Reader {
  public:
    explicit Reader(TimeUnit& unit, std::span<const std::string> variables = {}) : unit_(unit), asked_(variables) {}

    Chat chat(od::object object)
    {
        Chat chat;
        for (auto field : object) {
            od::field at = need(std::move(field), "chat");
            chat_field(chat, need(at.unescaped_key(), "chat"), at.value());
        }
        if (chat.id.value.empty()) throw_unreadable("chat", "it has no id");
        chat.raw = std::string(trimmed(need(object.raw_json(), "chat")));
        return chat;
    }

    Conversation conversation(od::object object)
    {
        Conversation made;
        std::string_view chats;     // their text, brackets included
        std::string_view variables; // from the name to the end of the value
        for (auto field : object) {
            od::field at = need(std::move(field), "conversation");
            const char* name = at.key().raw() - 1;
            const std::string key(need(at.unescaped_key(), "conversation"));
            if (key == "chats")
                chats = embedded_chats(made, at.value());
            else if (key == "variables" && !asked_.empty())
                variables = asked_variables(made, at.value(), name);
            else
                conversation_field(made, key, at.value());
        }
        if (made.id.value.empty()) throw_unreadable("conversation", "it has no id");
        const std::string_view raw = trimmed(need(object.raw_json(), "conversation"));
        if (chats.empty()) {
            made.raw = std::string(raw);
        } else {
            const auto open = static_cast<std::size_t>(chats.data() - raw.data()) + 1;
            made.raw.reserve(raw.size() - chats.size() + 2);
            made.raw.append(raw.substr(0, open)).append(raw.substr(open + chats.size() - 2));
            made.chats_at = open;
        }
        if (!variables.empty()) {
            const bool behind = !chats.empty() && variables.data() > chats.data();
            const auto at = static_cast<std::size_t>(variables.data() - raw.data()) - (behind ? chats.size() - 2 : 0);
            const std::size_t taken = take_member_out(made.raw, at, variables.size());
            if (made.chats_at && !behind) *made.chats_at -= taken;
        }
        return made;
    }

    std::vector<Chat> chats(od::array array)
    {
        std::vector<Chat> chats;
        for (auto item : array) chats.push_back(chat(need(need(std::move(item), "chats").get_object(), "chats")));
        return chats;
    }

  private:
    void chat_field(Chat& chat, std::string_view key, od::value value)
    {
        if (key == "id")
            chat.id.value = std::string(need(value.get_string(), "chat.id"));
        else if (key == "sender")
            chat.sender = text_or_null(value, "chat.sender").value_or("");
        else if (key == "timestamp")
            chat.sent_at = time_or_null(value, "chat.timestamp", unit_);
        else if (key == "completed" && !is_null(value, "chat.completed")) {
            chat.completed = need(value.get_bool(), "chat.completed");
            chat.says_completed = true;
        }
    }

    void conversation_field(Conversation& made, std::string_view key, od::value value)
    {
        if (key == "id")
            made.id.value = std::string(need(value.get_string(), "conversation.id"));
        else if (key == "title")
            made.title = text_or_null(value, "conversation.title");
        else if (key == "memo")
            made.memo = text_or_null(value, "conversation.memo").value_or("");
        else if (key == "user")
            user(made, value);
        else if (key == "llmApp")
            app(made, value);
        else if (key == "categories")
            categories(made, value);
        else if (key == "createdAt")
            made.created_at = time_or_null(value, "conversation.createdAt", unit_);
        else if (key == "lastChatTime")
            made.last_chat_at = time_or_null(value, "conversation.lastChatTime", unit_);
        else if (key == "chatCount" && !is_null(value, "conversation.chatCount"))
            made.chat_count = whole_number(value, "conversation.chatCount");
        else if (key == "isEnd" && !is_null(value, "conversation.isEnd"))
            made.is_end = need(value.get_bool(), "conversation.isEnd");
    }

    std::string_view embedded_chats(Conversation& made, od::value value)
    {
        if (is_null(value, "conversation.chats")) return {};
        od::array array = need(value.get_array(), "conversation.chats");
        made.chats = chats(array);
        return trimmed(need(array.raw_json(), "conversation.chats"));
    }

    static void user(Conversation& made, od::value value)
    {
        if (is_null(value, "conversation.user")) return;
        std::string first, last;
        for (auto field : need(value.get_object(), "conversation.user")) {
            od::field at = need(std::move(field), "conversation.user");
            const std::string_view key = need(at.unescaped_key(), "conversation.user");
            if (key == "userId")
                made.user_id = text_or_null(at.value(), "user.userId");
            else if (key == "firstName")
                first = text_or_null(at.value(), "user.firstName").value_or("");
            else if (key == "lastName")
                last = text_or_null(at.value(), "user.lastName").value_or("");
        }
        made.user_name = full_name(first, last);
    }

    static void app(Conversation& made, od::value value)
    {
        if (is_null(value, "conversation.llmApp")) return;
        for (auto field : need(value.get_object(), "conversation.llmApp")) {
            od::field at = need(std::move(field), "conversation.llmApp");
            if (need(at.unescaped_key(), "llmApp") == "id") made.app_id = text_or_null(at.value(), "llmApp.id");
        }
    }

    static void categories(Conversation& made, od::value value)
    {
        if (is_null(value, "conversation.categories")) return;
        for (auto item : need(value.get_array(), "conversation.categories"))
            made.categories.emplace_back(need(need(std::move(item), "categories").get_string(), "categories"));
    }

    // Empty where it says more than was asked for: then it always comes with its variables.
    std::string_view asked_variables(Conversation& made, od::value value, const char* name)
    {
        if (need(value.type(), "conversation.variables") != od::json_type::object) return {};
        od::object object = need(value.get_object(), "conversation.variables");
        bool all_asked = true;
        for (auto field : object) {
            const std::string_view key = need(need(std::move(field), "variables").unescaped_key(), "variables");
            all_asked = all_asked && std::find(asked_.begin(), asked_.end(), key) != asked_.end();
        }
        const std::string_view text = trimmed(need(object.raw_json(), "conversation.variables"));
        if (!all_asked) return {};
        made.variables = text;
        return {name, static_cast<std::size_t>(text.data() + text.size() - name)};
    }

    TimeUnit& unit_;
    std::span<const std::string> asked_;
};

// On-demand parsing looks at what it is asked for alone. What is stored is served again, so all of it must be JSON: the
// whole text is parsed once before, and the depth bounded with it.
void require_json(const simdjson::padded_string& body, std::string_view what)
{
    thread_local simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (const auto bad = parser.parse(body).get(root)) throw_unreadable(what, simdjson::error_message(bad));
    if (!root.is_object()) throw_unreadable(what, "no JSON object");
}

template <class Take>
auto read_object(std::string_view body, std::string_view what, Take take)
{
    const simdjson::padded_string padded(body);
    require_json(padded, what);
    od::parser parser;
    od::document document = need(parser.iterate(padded), what);
    return take(need(document.get_object(), what));
}

ConversationPage read_page_fast(std::string_view body, TimeUnit& unit, std::span<const std::string> variables)
{
    constexpr std::string_view what = "a list of conversations";
    return read_object(body, what, [&](od::object root) {
        Reader reader(unit, variables);
        ConversationPage page;
        bool found = false;
        for (auto field : root) {
            od::field at = need(std::move(field), what);
            const std::string_view key = need(at.unescaped_key(), what);
            if (key == "cursor")
                page.cursor = cursor_of(at.value());
            else if (key == "conversations") {
                found = true;
                for (auto item : need(at.value().get_array(), "conversations"))
                    page.conversations.push_back(reader.conversation(
                        need(need(std::move(item), "conversations").get_object(), "conversations")));
            }
        }
        if (!found) throw_unreadable(what, "it has no member `conversations`");
        return page;
    });
}

// All at once where everything is what the contract says; else what can be read. The unit is what the one that read it
// made of it.
template <class Fast, class Tolerant>
auto read_either(TimeUnit& unit, Fast fast, Tolerant tolerant)
{
    TimeUnit settled = unit;
    try {
        auto read = fast(settled);
        unit = settled;
        return read;
    } catch (const Error&) {
        return tolerant(unit); // says what is wrong, should even that not do
    }
}

} // namespace

ConversationPage read_conversation_page(std::string body, TimeUnit& unit, std::span<const std::string> variables)
{
    return read_either(
        unit, [&](TimeUnit& settled) { return read_page_fast(body, settled, variables); },
        [&](TimeUnit& settled) { return tolerant::read_conversation_page(body, settled, variables); });
}

Conversation read_conversation(std::string body, TimeUnit& unit)
{
    const auto fast = [&](TimeUnit& settled) {
        return read_object(body, "a conversation", [&](od::object root) { return Reader(settled).conversation(root); });
    };
    return read_either(unit, fast, [&](TimeUnit& settled) { return tolerant::read_conversation(body, settled); });
}

std::vector<Chat> read_chat_page(std::string body, TimeUnit& unit)
{
    constexpr std::string_view what = "a page of chats";
    const auto fast = [&](TimeUnit& settled) {
        return read_object(body, what, [&](od::object root) {
            return Reader(settled).chats(need(need(root.find_field_unordered("chats"), what).get_array(), what));
        });
    };
    return read_either(unit, fast, [&](TimeUnit& settled) { return tolerant::read_chat_page(body, settled); });
}

ConversationPage salvage_conversation_page(std::string_view body, TimeUnit& unit,
                                           std::span<const std::string> variables)
{
    constexpr std::array<std::string_view, 3> marks{"lastChatTime", "chatCount", "createdAt"};
    constexpr std::array<std::string_view, 1> scanned{"lastChatTime"};
    const MendedPage mended = mend_page(body, {"conversations", marks, scanned});
    if (mended.items != 1) throw_unreadable("a list of one conversation", "its structure is broken");
    ConversationPage page = tolerant::read_conversation_page(mended.text, unit, variables);
    Conversation& only = page.conversations.at(0);
    if (is_made_up(only.id.value) || !only.last_chat_at || only.last_chat_guessed)
        throw_unreadable("a list of one conversation", "its structure is broken before an id and a last chat time");
    only.partial = !mended.partial.empty();
    page.cursor_lost = !mended.has_cursor;
    return page;
}

std::vector<Chat> salvage_chat_page(std::string_view body, TimeUnit& unit, std::size_t expected)
{
    constexpr std::array<std::string_view, 3> marks{"sender", "timestamp", "message"};
    const MendedPage mended = mend_page(body, {"chats", marks, {}});
    if (mended.items == 0 || mended.items != expected) throw_unreadable("a page of chats", "its structure is broken");
    return tolerant::read_chat_page(mended.text, unit);
}

Conversation reread_item(const std::string& raw, TimeUnit& unit)
{
    auto page = read_conversation_page("{\"conversations\":[" + raw + "]}", unit);
    if (page.conversations.size() != 1) throw_unreadable("a conversation", "what is held is no item of a list");
    return std::move(page.conversations.front());
}

Chat reread_chat(const std::string& raw, TimeUnit& unit)
{
    auto page = read_chat_page("{\"chats\":[" + raw + "]}", unit);
    if (page.size() != 1) throw_unreadable("a chat", "what is held is no chat of a page");
    return std::move(page.front());
}

Chat read_chat(std::string body, TimeUnit& unit)
{
    const auto fast = [&](TimeUnit& settled) {
        return read_object(body, "a chat", [&](od::object root) { return Reader(settled).chat(root); });
    };
    return read_either(unit, fast, [&](TimeUnit& settled) { return tolerant::read_chat(body, settled); });
}

} // namespace alli
