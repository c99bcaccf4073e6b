// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_row.hpp"

#include "alli/json_text.hpp"
#include "cache/text/facts.hpp"

#include <array>

namespace alli::cache {
namespace {

void append(std::string& all, std::string_view one)
{
    if (one.empty()) return;
    if (!all.empty()) all += "; ";
    all += one;
}

// A citation by its title, else by where it is.
std::string name_of_citation(JsonValue citation)
{
    if (citation.is_string()) return text_of(citation);
    for (const std::string_view key : {"title", "url", "source"})
        if (std::string text = text_of(find_member(citation, key)); !text.empty()) return text;
    return {};
}

std::string texts_of(JsonValue value)
{
    if (value.is_string()) return text_of(value);
    std::string all;
    for (JsonItems item(value); item.next();) append(all, text_of(item.value));
    return all;
}

std::string citations_of(JsonValue value)
{
    std::string all;
    for (JsonItems item(value); item.next();) append(all, name_of_citation(item.value));
    return all;
}

std::string rating_of(JsonValue value)
{
    return value.text == "true" ? "good" : value.text == "false" ? "bad" : "";
}

struct Field {
    std::string_view name;
    std::string ChatRow::*member;
    std::string (*read)(JsonValue value);
};
constexpr auto fields = std::to_array<Field>({
    {"rating", &ChatRow::rating, &rating_of},
    {"agentRating", &ChatRow::agent_rating, &rating_of},
    {"feedbackSelection", &ChatRow::feedback_selection, &texts_of},
    {"suggestedAnswer", &ChatRow::suggested_answer, &texts_of},
    {"citations", &ChatRow::citations, &citations_of},
});

void read_raw(ConversationRow& row, std::string_view raw)
{
    const JsonValue conversation = whole_value(raw);
    row.app_name = text_of(find_member(find_member(conversation, "llmApp"), "name"));
    for (JsonItems category(find_member(conversation, "categories")); category.next();)
        append(row.categories, text_of(category.value));
    ConversationFacts facts = facts_of_conversation(raw);
    row.state = std::move(facts.state);
    row.assignee = std::move(facts.assignee);
    row.channel = std::move(facts.channel);
}

ConversationRow read_conversation_row(const Row& row) // id, title, user, app, times, held, raw
{
    ConversationRow found;
    found.id = row.text(0), found.title = row.text(1), found.user_id = row.text(2), found.user_name = row.text(3);
    found.app_id = row.text(4);
    found.created_at = row.optional_instant(5);
    found.last_chat_at = row.optional_instant(6);
    found.chats = row.integer(7);
    found.raw = row.text(8);
    read_raw(found, found.raw);
    return found;
}

} // namespace

std::optional<ConversationRow> find_conversation_row(Reader& db, const ConversationId& id)
{
    return db.one(&read_conversation_row,
                  "SELECT id, title, user_id, user_name, app_id, created_at, last_chat_at, held, raw FROM conversation"
                  " WHERE id = ?1",
                  id.value);
}

std::vector<ConversationRow> load_conversation_rows(Reader& db, std::int64_t& after, int limit)
{
    std::vector<ConversationRow> rows;
    for (const Row row :
         db.query("SELECT id, title, user_id, user_name, app_id, created_at, last_chat_at, held, raw, pk"
                  " FROM conversation WHERE pk > ?1 ORDER BY pk LIMIT ?2",
                  std::int64_t{after}, limit)) {
        rows.push_back(read_conversation_row(row));
        after = row.integer(9);
    }
    return rows;
}

ChatRow read_chat_row(std::string_view raw_chat)
{
    ChatRow row;
    for (JsonMembers member(whole_value(raw_chat)); member.next();)
        for (const Field& field : fields)
            if (member.key == field.name) row.*field.member = field.read(member.value);
    return row;
}

} // namespace alli::cache
