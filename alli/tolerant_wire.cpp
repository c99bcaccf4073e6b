// SPDX-License-Identifier: Apache-2.0
#include "alli/tolerant_wire.hpp"

#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "alli/wire_field.hpp"

#include <algorithm>
#include <array>

namespace alli::tolerant {
namespace {

using Unread = std::vector<std::string_view>;

void note(Unread& unread, std::string_view field)
{
    if (std::find(unread.begin(), unread.end(), field) == unread.end()) unread.push_back(field);
}

// What `read` makes of a value that is there; a field that it can make nothing of is noted.
template <class Read>
auto read_field(JsonValue value, std::string_view field, Unread& unread, Read read) -> decltype(read(value))
{
    if (value.is_null()) return {};
    auto made = read(value);
    if (!made) note(unread, field);
    return made;
}

std::optional<std::string> read_text(JsonValue value)
{
    return value.is_string() ? std::optional(text_of(value)) : std::nullopt;
}

std::string id_or_make(JsonValue id, std::string_view raw, std::string_view field, Unread& unread)
{
    if (auto own = read_id(id)) return std::move(*own);
    note(unread, field);
    return made_up_id(raw);
}

struct Cut {                    // what a conversation's raw text goes without, as views into the item
    std::string_view chats;     // brackets included; empty: there is no array
    std::string_view variables; // from the name to the end of the value; empty: none are taken out
};

class Reader {
  public:
    explicit Reader(TimeUnit& unit, std::span<const std::string> variables = {}) : unit_(unit), asked_(variables) {}

    Chat chat(JsonValue item)
    {
        Chat chat;
        JsonValue id;
        for (JsonMembers member(item); member.next();) {
            if (member.key == "id")
                id = member.value;
            else
                chat_field(chat, member);
        }
        chat.raw = item.text;
        chat.id.value = id_or_make(id, item.text, "chats.id", chat.unread);
        return chat;
    }

    std::vector<Chat> chats(JsonValue array)
    {
        std::vector<Chat> chats;
        for (JsonItems item(array); item.next();) chats.push_back(chat(item.value));
        return chats;
    }

    Conversation conversation(JsonValue item)
    {
        Conversation made;
        JsonValue id;
        Cut cut;
        for (JsonMembers member(item); member.next();) {
            if (member.key == "id")
                id = member.value;
            else if (member.key == "chats")
                cut.chats = embedded_chats(made, member.value);
            else if (member.key == "variables" && !asked_.empty())
                cut.variables = asked_variables(made, member);
            else
                conversation_field(made, member);
        }
        made.id.value = id_or_make(id, item.text, "id", made.unread);
        for (const Chat& chat : made.chats)
            for (const std::string_view field : chat.unread) note(made.unread, field);
        if (made.last_chat_guessed) made.last_chat_at = newest_of(made.chats);
        put_raw(made, item.text, cut);
        return made;
    }

  private:
    void chat_field(Chat& chat, const JsonMembers& member)
    {
        if (member.key == "sender")
            chat.sender = read_field(member.value, "chats.sender", chat.unread, read_text).value_or("");
        else if (member.key == "timestamp")
            chat.sent_at = time(member.value, "chats.timestamp", chat.unread);
        else if (member.key == "completed") {
            const auto said = read_field(member.value, "chats.completed", chat.unread, read_flag);
            chat.completed = said.value_or(true);
            chat.says_completed = said.has_value();
        }
    }

    void conversation_field(Conversation& made, const JsonMembers& member)
    {
        const JsonValue value = member.value;
        if (member.key == "title")
            made.title = read_field(value, "title", made.unread, read_text);
        else if (member.key == "memo")
            made.memo = read_field(value, "memo", made.unread, read_text).value_or("");
        else if (member.key == "user")
            user(made, value);
        else if (member.key == "llmApp")
            app(made, value);
        else if (member.key == "categories")
            categories(made, value);
        else if (member.key == "createdAt")
            made.created_at = time(value, "createdAt", made.unread);
        else if (member.key == "lastChatTime") {
            made.last_chat_at = time(value, "lastChatTime", made.unread);
            made.last_chat_guessed = !made.last_chat_at && !value.is_null();
        } else if (member.key == "chatCount")
            made.chat_count = read_field(value, "chatCount", made.unread, read_count);
        else if (member.key == "isEnd")
            made.is_end = read_field(value, "isEnd", made.unread, read_flag).value_or(false);
    }

    std::optional<Instant> time(JsonValue value, std::string_view field, Unread& unread)
    {
        return read_field(value, field, unread, [this](JsonValue sent) { return read_time(sent, unit_); });
    }

    std::string_view embedded_chats(Conversation& made, JsonValue value)
    {
        made.chats.clear();
        if (value.is_array()) {
            made.chats = chats(value);
            return value.text;
        }
        if (!value.is_null()) note(made.unread, "chats");
        return {};
    }

    static void user(Conversation& made, JsonValue value)
    {
        if (!value.is_object() && !value.is_null()) return note(made.unread, "user");
        std::string first, last;
        for (JsonMembers member(value); member.next();) {
            if (member.key == "userId")
                made.user_id = read_field(member.value, "user.userId", made.unread, id_or_text);
            else if (member.key == "firstName")
                first = read_field(member.value, "user.firstName", made.unread, read_text).value_or("");
            else if (member.key == "lastName")
                last = read_field(member.value, "user.lastName", made.unread, read_text).value_or("");
        }
        made.user_name = full_name(first, last);
    }

    // An id that filters compare with: one that cannot be decoded whole is nobody's, an empty one is what it says.
    static std::optional<std::string> id_or_text(JsonValue value)
    {
        return value.text == "\"\"" ? std::optional(std::string()) : read_id(value);
    }

    static void app(Conversation& made, JsonValue value)
    {
        if (!value.is_object() && !value.is_null()) return note(made.unread, "llmApp");
        for (JsonMembers member(value); member.next();)
            if (member.key == "id") made.app_id = read_field(member.value, "llmApp.id", made.unread, id_or_text);
    }

    static void categories(Conversation& made, JsonValue value)
    {
        if (!value.is_array() && !value.is_null()) return note(made.unread, "categories");
        for (JsonItems item(value); item.next();) {
            if (auto category = id_or_text(item.value))
                made.categories.push_back(std::move(*category));
            else
                note(made.unread, "categories");
        }
    }

    // Empty where it says more than was asked for: then it always comes with its variables.
    std::string_view asked_variables(Conversation& made, const JsonMembers& at)
    {
        made.variables.reset();
        if (!at.value.is_object()) return {};
        for (JsonMembers member(at.value); member.next();)
            if (std::find(asked_.begin(), asked_.end(), member.key) == asked_.end()) return {};
        made.variables = at.value.text;
        return {at.name_begin, static_cast<std::size_t>(at.value.text.data() + at.value.text.size() - at.name_begin)};
    }

    static std::optional<Instant> newest_of(const std::vector<Chat>& chats)
    {
        std::optional<Instant> newest;
        for (const Chat& chat : chats) newest = std::max(newest, chat.sent_at);
        return newest;
    }

    static void put_raw(Conversation& made, std::string_view item, const Cut& cut)
    {
        const auto offset = [&](std::string_view part) { return static_cast<std::size_t>(part.data() - item.data()); };
        made.raw = item;
        if (!cut.chats.empty()) {
            made.chats_at = offset(cut.chats) + 1;
            made.raw.erase(*made.chats_at, cut.chats.size() - 2);
        }
        if (cut.variables.empty()) return;
        const bool behind = !cut.chats.empty() && cut.variables.data() > cut.chats.data();
        const std::size_t at = offset(cut.variables) - (behind ? cut.chats.size() - 2 : 0);
        const std::size_t taken = take_member_out(made.raw, at, cut.variables.size());
        if (made.chats_at && !behind) *made.chats_at -= taken;
    }

    TimeUnit& unit_;
    std::span<const std::string> asked_;
};

JsonValue require_object(std::string_view body, std::string_view what)
{
    const JsonValue root = whole_value(body);
    if (root.text.empty()) throw_unreadable(what, "it is cut short, or no JSON");
    if (!root.is_object()) throw_unreadable(what, "no JSON object");
    return root;
}

std::optional<std::string> read_cursor(JsonValue value, std::string_view what)
{
    if (value.is_null() || value.text == "false" || value.text == "\"\"") return std::nullopt; // each says: no more
    if (value.is_string()) return text_of(value);
    auto number = read_id(value);
    if (!number) throw_unreadable(what, "its cursor is neither a string nor a number");
    return number;
}

// As near as can be told: a list is in the order of its times.
void guess_times(std::vector<Conversation>& page)
{
    const auto give = [](Conversation& one, const std::optional<Instant>& neighbour) {
        if (one.last_chat_guessed && !one.last_chat_at) one.last_chat_at = neighbour;
    };
    std::optional<Instant> near;
    const auto pass = [&](Conversation& one) {
        give(one, near);
        if (one.last_chat_at && !one.last_chat_guessed) near = one.last_chat_at;
    };
    std::for_each(page.begin(), page.end(), pass);
    near.reset();
    std::for_each(page.rbegin(), page.rend(), pass);
}

} // namespace

ConversationPage read_conversation_page(std::string_view body, TimeUnit& unit, std::span<const std::string> variables)
{
    constexpr std::string_view what = "a list of conversations";
    constexpr std::array<std::string_view, 1> names{"conversations"};
    const JsonValue root = find_content(require_object(body, what), names);
    if (root.text.empty()) throw_unreadable(what, "it has no member `conversations`");
    Reader reader(unit, variables);
    ConversationPage page;
    for (JsonMembers member(root); member.next();) {
        if (member.key == "cursor") page.cursor = read_cursor(member.value, what);
        if (member.key != "conversations") continue;
        if (!member.value.is_array()) throw_unreadable(what, "its conversations are no array");
        for (JsonItems item(member.value); item.next();) page.conversations.push_back(reader.conversation(item.value));
    }
    guess_times(page.conversations);
    return page;
}

// One that an answer tells of alone. Without an id it must show something that only such a thing has: the error shapes
// of a service, and answers to other questions, do not.
static JsonValue require_item(std::string_view body, std::string_view what, std::span<const std::string_view> names)
{
    const JsonValue item = find_content(require_object(body, what), names);
    const auto own = names.subspan(1); // the first is the id
    if (item.text.empty() || (!read_id(find_member(item, names[0])) && find_content(item, own).text != item.text))
        throw_unreadable(what, "it has no id, nor anything else of one");
    return item;
}

Conversation read_conversation(std::string_view body, TimeUnit& unit)
{
    constexpr std::array<std::string_view, 4> names{"id", "createdAt", "lastChatTime", "chatCount"};
    return Reader(unit).conversation(require_item(body, "a conversation", names));
}

std::vector<Chat> read_chat_page(std::string_view body, TimeUnit& unit)
{
    constexpr std::string_view what = "a page of chats";
    constexpr std::array<std::string_view, 1> names{"chats"};
    const JsonValue chats = find_member(find_content(require_object(body, what), names), "chats");
    if (!chats.is_array()) throw_unreadable(what, "it has no array `chats`");
    return Reader(unit).chats(chats);
}

Chat read_chat(std::string_view body, TimeUnit& unit)
{
    constexpr std::array<std::string_view, 3> names{"id", "sender", "timestamp"};
    return Reader(unit).chat(require_item(body, "a chat", names));
}

} // namespace alli::tolerant

namespace alli {

void throw_unreadable(std::string_view what, std::string_view why)
{
    throw Error(Fault::bad_reply,
                "the answer is not what the API's contract says; see docs/operations.md, \"Unreadable\"", "{}: {}",
                what, why);
}

std::size_t take_member_out(std::string& raw, std::size_t at, std::size_t size)
{
    constexpr auto blanks = " \t\r\n";
    std::size_t from = raw.find_last_not_of(blanks, at - 1), to = at + size;
    if (raw[from] != ',') { // the first of them
        from = at;
        to = std::min(raw.find_first_not_of(blanks, to), raw.size());
        if (raw[to] == ',') ++to;
    }
    raw.erase(from, to - from);
    return to - from;
}

std::string full_name(const std::string& first, const std::string& last)
{
    return first.empty() || last.empty() ? first + last : first + ' ' + last;
}

} // namespace alli
