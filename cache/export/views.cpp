// SPDX-License-Identifier: Apache-2.0
#include "cache/export/views.hpp"

#include "alli/json_text.hpp"
#include "cache/text/words.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::string_view sql_text = "TEXT", sql_integer = "INTEGER";

ViewValue time_value(const std::optional<Instant>& when)
{
    return when ? ViewValue(view_time(*when)) : ViewValue();
}

ViewValue number_value(const std::optional<std::int64_t>& number)
{
    return number ? ViewValue(*number) : ViewValue();
}

template <class... Row>
struct ColumnOf {
    ViewColumn column;
    ViewValue (*read)(const Row&... row);
};

template <class Column, std::size_t N>
constexpr std::array<ViewColumn, N> columns_of(const std::array<Column, N>& readers)
{
    std::array<ViewColumn, N> columns;
    for (std::size_t at = 0; at < N; ++at) columns[at] = readers[at].column;
    return columns;
}

constexpr auto of_conversation = std::to_array<ColumnOf<ConversationRow>>({
    {{"conversation_id", sql_text, "the service's id"}, [](const ConversationRow& c) -> ViewValue { return c.id; }},
    {{"title", sql_text, "title"}, [](const ConversationRow& c) -> ViewValue { return c.title; }},
    {{"user_id", sql_text, "id of the user"}, [](const ConversationRow& c) -> ViewValue { return c.user_id; }},
    {{"user_name", sql_text, "name of the user"}, [](const ConversationRow& c) -> ViewValue { return c.user_name; }},
    {{"app_id", sql_text, "id of the app"}, [](const ConversationRow& c) -> ViewValue { return c.app_id; }},
    {{"app_name", sql_text, "name of the app"}, [](const ConversationRow& c) -> ViewValue { return c.app_name; }},
    {{"category", sql_text, "categories, parted by '; '"},
     [](const ConversationRow& c) -> ViewValue { return c.categories; }},
    {{"state", sql_text, "state"}, [](const ConversationRow& c) -> ViewValue { return c.state; }},
    {{"assignee", sql_text, "whose it is"}, [](const ConversationRow& c) -> ViewValue { return c.assignee; }},
    {{"channel", sql_text, "where it was held"}, [](const ConversationRow& c) -> ViewValue { return c.channel; }},
    {{"created_at", sql_text, "time of its creation"},
     [](const ConversationRow& c) { return time_value(c.created_at); }},
    {{"raw", sql_text, "the service's JSON, without the messages"},
     [](const ConversationRow& c) -> ViewValue { return readable_json(c.raw); }},
    {{"last_chat_at", sql_text, "time of its last message"},
     [](const ConversationRow& c) { return time_value(c.last_chat_at); }},
    {{"chats", sql_integer, "messages that are mirrored"},
     [](const ConversationRow& c) -> ViewValue { return c.chats; }},
});

constexpr auto of_chat = std::to_array<ColumnOf<ViewChat>>({
    {{"conversation_id", sql_text, "its conversation"},
     [](const ViewChat& c) -> ViewValue { return c.conversation(); }},
    {{"chat_id", sql_text, "the service's id of the message"},
     [](const ViewChat& c) -> ViewValue { return c.chat().id; }},
    {{"ordinal", sql_integer, "its place in the conversation, from 0"},
     [](const ViewChat& c) -> ViewValue { return c.ordinal(); }},
    {{"sender", sql_text, "USER, BOT or who else sent it"},
     [](const ViewChat& c) -> ViewValue { return c.chat().sender; }},
    {{"time", sql_text, "when it was sent"}, [](const ViewChat& c) { return time_value(c.chat().sent_at); }},
    {{"message", sql_text, "its words, without markup of the editor"},
     [](const ViewChat& c) -> ViewValue { return c.message(); }},
    {{"rating", sql_text, "good, bad or '': its user's"},
     [](const ViewChat& c) -> ViewValue { return c.row().rating; }},
    {{"agent_rating", sql_text, "good, bad or '': an agent's"},
     [](const ViewChat& c) -> ViewValue { return c.row().agent_rating; }},
    {{"feedback_selection", sql_text, "the reasons that were chosen, parted by '; '"},
     [](const ViewChat& c) -> ViewValue { return c.row().feedback_selection; }},
    {{"suggested_answer", sql_text, "the better answer that was suggested"},
     [](const ViewChat& c) -> ViewValue { return c.row().suggested_answer; }},
    {{"citations", sql_text, "titles of what it cites, parted by '; '"},
     [](const ViewChat& c) -> ViewValue { return c.row().citations; }},
    {{"raw", sql_text, "the service's JSON"},
     [](const ViewChat& c) -> ViewValue { return readable_json(c.chat().raw); }},
});

constexpr auto of_citation = std::to_array<ColumnOf<ViewChat, ViewCitation>>({
    {{"chat_id", sql_text, "the message that cites"},
     [](const ViewChat& c, const ViewCitation&) -> ViewValue { return c.chat().id; }},
    {{"position", sql_integer, "its place among the message's citations, from 0"},
     [](const ViewChat&, const ViewCitation& it) -> ViewValue { return it.position; }},
    {{"title", sql_text, "title"}, [](const ViewChat&, const ViewCitation& it) -> ViewValue { return it.title; }},
    {{"source", sql_text, "source"}, [](const ViewChat&, const ViewCitation& it) -> ViewValue { return it.source; }},
    {{"url", sql_text, "address"}, [](const ViewChat&, const ViewCitation& it) -> ViewValue { return it.url; }},
    {{"page", sql_integer, "page"}, [](const ViewChat&, const ViewCitation& it) { return number_value(it.page); }},
    {{"conversation_id", sql_text, "the conversation of the message"},
     [](const ViewChat& c, const ViewCitation&) -> ViewValue { return c.conversation(); }},
    {{"ordinal", sql_integer, "the message's place in its conversation"},
     [](const ViewChat& c, const ViewCitation&) -> ViewValue { return c.ordinal(); }},
});
static_assert(of_conversation.size() == conversation_columns && of_chat.size() == chat_columns &&
              of_citation.size() == citation_columns);

constexpr auto in_conversation = columns_of(of_conversation);
constexpr auto in_chat = columns_of(of_chat);
constexpr auto in_citation = columns_of(of_citation);
constexpr auto in_feedback = std::to_array<ViewColumn>({in_chat[0], in_chat[1], in_chat[2], in_chat[3], in_chat[4],
                                                        in_chat[5], in_chat[6], in_chat[7], in_chat[8], in_chat[9]});
constexpr auto in_daily = std::to_array<ViewColumn>({
    {"day", sql_text, "2026-01-31, of UTC"},
    {"app_id", sql_text, "id of the app"},
    {"conversations", sql_integer, "created that day"},
    {"messages", sql_integer, "sent that day"},
    {"good", sql_integer, "messages of that day that their user rated good"},
    {"bad", sql_integer, "messages of that day that their user rated bad"},
});

constexpr std::string_view feedback_sql =
    "SELECT conversation_id, chat_id, ordinal, sender, time, message, rating, agent_rating, feedback_selection,"
    " suggested_answer"
    " FROM v_chat WHERE rating <> '' OR agent_rating <> '' OR feedback_selection <> '' OR suggested_answer <> ''";
constexpr std::string_view daily_sql =
    "WITH part (day, app_id, conversations, messages, good, bad) AS ("
    "SELECT substr(created_at, 1, 10), app_id, 1, 0, 0, 0 FROM v_conversation"
    " UNION ALL"
    " SELECT substr(c.time, 1, 10), v.app_id, 0, 1, c.rating = 'good', c.rating = 'bad'"
    " FROM v_conversation v CROSS JOIN v_chat c ON c.conversation_id = v.conversation_id)"
    " SELECT day, app_id, sum(conversations) AS conversations, sum(messages) AS messages, sum(good) AS good,"
    " sum(bad) AS bad FROM part GROUP BY day, app_id";

constexpr auto views = std::to_array<View>({
    {"v_conversation", "a row a conversation", in_conversation, ""},
    {"v_chat", "a row a message", in_chat, ""},
    {"v_citation", "a row a citation of a message", in_citation, ""},
    {"v_feedback", "a row a message with a rating, a selection or a suggestion", in_feedback, feedback_sql},
    {"v_daily", "a row a day and app", in_daily, daily_sql},
});

std::optional<std::int64_t> number_of(JsonValue value)
{
    const bool digits =
        !value.text.empty() && value.text.size() < 10 && value.text.find_first_not_of("0123456789") == value.text.npos;
    return digits ? std::optional<std::int64_t>(std::stoll(std::string(value.text))) : std::nullopt;
}

ViewCitation read_citation(JsonValue value, std::int64_t position)
{
    if (value.is_string()) return {position, text_of(value), "", "", std::nullopt}; // as older messages have it
    const auto member = [&](std::string_view name) { return text_of(find_member(value, name)); };
    return {position, member("title"), member("source"), member("url"), number_of(find_member(value, "pageNo"))};
}

} // namespace

std::span<const View> view_table()
{
    return views;
}

const View* find_view(std::string_view name)
{
    const auto* const found =
        std::find_if(views.begin(), views.end(), [&](const View& view) { return view.name == name; });
    return found == views.end() ? nullptr : found;
}

const std::string& ViewChat::message() const
{
    if (!has_message_) chat_.text = message_of_chat(chat_.raw);
    has_message_ = true;
    return chat_.text;
}

const ChatRow& ViewChat::row() const
{
    if (!row_) row_ = read_chat_row(chat_.raw);
    return *row_;
}

std::vector<ViewCitation> read_citations(const ViewChat& chat)
{
    std::vector<ViewCitation> citations;
    for (JsonItems item(find_member(whole_value(chat.chat().raw), "citations")); item.next();)
        citations.push_back(read_citation(item.value, std::ssize(citations)));
    return citations;
}

ViewValue conversation_value(const ConversationRow& row, std::size_t column)
{
    return of_conversation.at(column).read(row);
}

ViewValue chat_value(const ViewChat& chat, std::size_t column)
{
    return of_chat.at(column).read(chat);
}

ViewValue citation_value(const ViewChat& chat, const ViewCitation& citation, std::size_t column)
{
    return of_citation.at(column).read(chat, citation);
}

bool is_beside_text(std::size_t chat_column)
{
    constexpr std::array<std::string_view, 4> beside{"conversation_id", "ordinal", "sender", "time"};
    return std::find(beside.begin(), beside.end(), in_chat.at(chat_column).name) != beside.end();
}

std::string view_time(Instant when)
{
    std::string time = to_rfc3339(when);
    time.pop_back();
    if (time.find('.') == time.npos) time += '.';
    time.append(std::size_t{6} - (time.size() - 1 - time.find('.')), '0');
    return time + 'Z';
}

} // namespace alli::cache
