// SPDX-License-Identifier: Apache-2.0
#include "cache/search.hpp"

#include "cache/match.hpp"
#include "cache/snippet.hpp"
#include "cache/words.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::int64_t exact_up_to = 10'000;

struct Conditions { // on conversation v and, for chats, on chat c
    std::string text;
    std::vector<Value> values;

    void add(std::string_view condition, Value value)
    {
        text.append(" AND ").append(condition);
        values.push_back(std::move(value));
    }
};

void add_conversation_filters(Conditions& where, const SearchQuery& query)
{
    if (query.user) where.add("v.user_id = ?", *query.user);
    if (query.app) where.add("v.app_id = ?", *query.app);
    if (query.category)
        where.add("EXISTS (SELECT 1 FROM category WHERE category.name = ? AND category.conversation = v.pk)",
                  *query.category);
}

std::int64_t micros(Instant when)
{
    return when.time_since_epoch().count();
}

Conditions chat_conditions(const SearchQuery& query, const std::string& expression)
{
    Conditions where{"", {expression}};
    add_conversation_filters(where, query);
    if (query.sender) where.add("c.sender = ? COLLATE NOCASE", *query.sender);
    if (query.after) where.add("c.sent_at > ?", micros(*query.after));
    if (query.before) where.add("c.sent_at < ?", micros(*query.before));
    return where;
}

// A title has no sender; its time is its conversation's.
Conditions title_conditions(const SearchQuery& query, const std::string& expression)
{
    Conditions where{"", {expression}};
    add_conversation_filters(where, query);
    if (query.after) where.add("v.last_chat_at > ?", micros(*query.after));
    if (query.before) where.add("v.last_chat_at < ?", micros(*query.before));
    return where;
}

constexpr std::string_view chat_source = " FROM chat_words JOIN chat c ON c.pk = chat_words.rowid"
                                         " JOIN conversation v ON v.pk = c.conversation WHERE chat_words MATCH ?";
constexpr std::string_view title_source =
    " FROM conversation_words JOIN conversation v ON v.pk = conversation_words.rowid"
    " WHERE conversation_words MATCH ?";

std::int64_t count(Reader& db, std::string_view source, const Conditions& where)
{
    const std::string sql =
        fmt::format("SELECT count(*) FROM (SELECT 1{}{} LIMIT {})", source, where.text, exact_up_to + 1);
    Rows rows = db.query_values(sql, where.values);
    rows.step();
    return rows.row().integer(0);
}

std::string person(const Row& row, int name, int id)
{
    return std::string(row.text(name).empty() ? row.text(id) : row.text(name));
}

// First the words of the message; a hit in a citation shows that one.
std::string snippet_of(const ChatWords& words, const std::vector<std::string>& terms)
{
    std::string snippet = make_snippet(words.text, terms);
    if (snippet.find("<mark>") != std::string::npos || words.citations.empty()) return snippet;
    std::string cited = make_snippet(words.citations, terms);
    return cited.find("<mark>") != std::string::npos ? cited : snippet;
}

void find_chats(Reader& db, const SearchQuery& query, const Conditions& where, const std::vector<std::string>& terms,
                std::vector<SearchHit>& hits)
{
    const bool newest = query.sort == SearchSort::newest;
    const std::string sql = fmt::format(
        "SELECT v.id, c.id, v.title, c.sender, v.user_name, v.user_id, c.sent_at, c.raw, {}{}{} ORDER BY {} LIMIT {}",
        newest ? "0" : "-bm25(chat_words)", chat_source, where.text,
        newest ? "chat_words.rowid DESC" : "bm25(chat_words)", query.limit);
    for (const Row row : db.query_values(sql, where.values))
        hits.push_back({std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)),
                        std::string(row.text(3)), person(row, 4, 5), row.optional_instant(6),
                        snippet_of(words_of_chat(row.text(7)), terms), row.real(8)});
}

void find_titles(Reader& db, const SearchQuery& query, const Conditions& where, const std::vector<std::string>& terms,
                 std::vector<SearchHit>& hits)
{
    const bool newest = query.sort == SearchSort::newest;
    const std::string sql =
        fmt::format("SELECT v.id, v.title, v.user_name, v.user_id, v.last_chat_at, {}{}{} ORDER BY {} LIMIT {}",
                    newest ? "0" : "-bm25(conversation_words)", title_source, where.text,
                    newest ? "v.last_chat_at DESC" : "bm25(conversation_words)", query.limit);
    for (const Row row : db.query_values(sql, where.values))
        hits.push_back({std::string(row.text(0)), std::nullopt, std::string(row.text(1)), "", person(row, 2, 3),
                        row.optional_instant(4), make_snippet(row.text(1), terms), row.real(5)});
}

} // namespace

SearchResult search(Reader& db, const SearchQuery& query)
{
    SearchResult result;
    const auto terms = terms_of(query.text);
    const std::string expression = match_expression(terms);
    if (expression.empty()) return result;

    const Conditions chats = chat_conditions(query, expression);
    find_chats(db, query, chats, terms, result.hits);
    result.total = count(db, chat_source, chats);
    if (!query.sender) {
        const Conditions titles = title_conditions(query, expression);
        find_titles(db, query, titles, terms, result.hits);
        result.total += count(db, title_source, titles);
    }
    std::stable_sort(result.hits.begin(), result.hits.end(), [&](const SearchHit& a, const SearchHit& b) {
        return query.sort == SearchSort::newest ? a.sent_at > b.sent_at : a.score > b.score;
    });
    if (result.hits.size() > static_cast<std::size_t>(query.limit))
        result.hits.resize(static_cast<std::size_t>(query.limit));
    result.total_exact = result.total <= exact_up_to;
    result.total = std::min(result.total, exact_up_to);
    return result;
}

} // namespace alli::cache
