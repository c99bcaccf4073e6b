// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/publish.hpp"

#include "cluster/latest.hpp"
#include "cluster/postgres/text.hpp"

#include <algorithm>

namespace alli::cluster {
namespace {

using Type = ArrayParam::Type;

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL READ COMMITTED";
constexpr const char* commit_sql = "COMMIT";
constexpr const char* number_sql = "UPDATE head SET last = last + $1::bigint RETURNING last";

// Both are needed. The UPDATE locks the row until the commit is durable; where it finds no row that is no error, and
// the rest would be executed: the second statement is what ends it.
constexpr const char* fenced_number_sql = "UPDATE head SET last = last + $1::bigint WHERE epoch = $2::bigint AND"
                                          " holder = $3::text RETURNING last";
constexpr const char* fence_sql =
    "SELECT 1 / (CASE WHEN epoch = $1::bigint AND holder = $2::text AND ($3::bigint = 0 OR EXISTS"
    " (SELECT FROM trail WHERE seq = $3::bigint AND nonce = $4::text)) THEN 1 ELSE 0 END) FROM head";
constexpr std::string_view fenced_off = "22012"; // division by zero

constexpr const char* trail_sql = "INSERT INTO trail (seq, nonce) SELECT last, $1::text FROM head";
constexpr const char* forget_sql =
    "DELETE FROM trail WHERE seq <= (SELECT seq FROM trail ORDER BY seq DESC OFFSET 100000 LIMIT 1)"
    " AND at < now() - interval '6 hours'"; // a node may take long to join while much changes

// Whoever is at a number that the trail has not any more joins anew: these nobody needs for his rounds.
constexpr const char* forget_runs_sql =
    "DELETE FROM run WHERE state = 'settled' AND seq < (SELECT min(seq) FROM trail)";
constexpr const char* forget_ends_sql =
    "DELETE FROM conversation WHERE deleted AND seq < (SELECT min(seq) FROM trail) AND (deleted_us IS NULL"
    " OR deleted_us < (extract(epoch FROM now() - interval '90 days') * 1000000)::bigint)";

// Numbers are those up to head.last, in the order of the rows: the last parameter says how many of this transaction
// come from here on.
constexpr const char* conversations_sql =
    "INSERT INTO conversation (id, item, bytes, is_json, chats_at, held, last_chat_us, created_us, last_chat_at,"
    " created_at, title, user_id, app_id, user_name, state, categories, deleted, deleted_us, is_end, variables, seq)"
    " SELECT id, item, bytes, is_json, chats_at, held, last_chat_us, created_us, last_chat_at, created_at, title,"
    " user_id, app_id, user_name, state, categories, deleted, deleted_us, is_end, variables,"
    " (SELECT last FROM head) - $21::bigint + row"
    " FROM unnest($1::text[], $2::text[], $3::bytea[], $4::boolean[], $5::bigint[], $6::bigint[], $7::bigint[],"
    " $8::bigint[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[],"
    " $15::text[], $16::text[], $17::boolean[], $18::bigint[], $19::boolean[], $20::bytea[]) WITH ORDINALITY AS u (id, "
    "item, bytes,"
    " is_json, chats_at, held, last_chat_us, created_us, last_chat_at, created_at, title, user_id, app_id, user_name,"
    " state, categories, deleted, deleted_us, is_end, variables, row)"
    " ON CONFLICT (id) DO UPDATE SET item = EXCLUDED.item, bytes = EXCLUDED.bytes, is_json = EXCLUDED.is_json,"
    " chats_at = EXCLUDED.chats_at, held = EXCLUDED.held, last_chat_us = EXCLUDED.last_chat_us,"
    " created_us = EXCLUDED.created_us, last_chat_at = EXCLUDED.last_chat_at, created_at = EXCLUDED.created_at,"
    " title = EXCLUDED.title, user_id = EXCLUDED.user_id, app_id = EXCLUDED.app_id, user_name = EXCLUDED.user_name,"
    " state = EXCLUDED.state, categories = EXCLUDED.categories, deleted = EXCLUDED.deleted,"
    " deleted_us = EXCLUDED.deleted_us, is_end = EXCLUDED.is_end, variables = EXCLUDED.variables,"
    " seq = EXCLUDED.seq";
constexpr const char* chats_sql =
    "INSERT INTO chat (conversation, ordinal, id, chat, bytes, is_json, sender, sent_us, sent_at, message, rating,"
    " agent_rating, feedback, suggested_answer, detail, seq)"
    " SELECT conversation, ordinal, id, chat, bytes, is_json, sender, sent_us, sent_at, message, rating, agent_rating,"
    " feedback, suggested_answer, detail, (SELECT last FROM head) - $16::bigint + row"
    " FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::boolean[], $7::text[],"
    " $8::bigint[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[])"
    " WITH ORDINALITY AS u (conversation, ordinal, id, chat, bytes, is_json, sender, sent_us, sent_at, message, rating,"
    " agent_rating, feedback, suggested_answer, detail, row)"
    " ON CONFLICT (conversation, ordinal) DO UPDATE SET id = EXCLUDED.id, chat = EXCLUDED.chat,"
    " bytes = EXCLUDED.bytes, is_json = EXCLUDED.is_json, sender = EXCLUDED.sender, sent_us = EXCLUDED.sent_us,"
    " sent_at = EXCLUDED.sent_at, message = EXCLUDED.message, rating = EXCLUDED.rating,"
    " agent_rating = EXCLUDED.agent_rating, feedback = EXCLUDED.feedback,"
    " suggested_answer = EXCLUDED.suggested_answer, detail = EXCLUDED.detail, seq = EXCLUDED.seq";
constexpr const char* cut_sql = "DELETE FROM chat USING unnest($1::text[], $2::bigint[]) AS u (id, held)"
                                " WHERE chat.conversation = u.id AND chat.ordinal >= u.held";
constexpr const char* state_sql =
    "INSERT INTO state (name, value, seq) SELECT name, value, (SELECT last FROM head) - $3::bigint + row"
    " FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS u (name, value, row)"
    " ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, seq = EXCLUDED.seq";
// No news waits for a disk or a standby: who misses it, polls.
constexpr const char* notify_sql = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1::text, '')";

/// Upstream's JSON: in text where that holds it, else in bytes.
struct Body {
    ArrayParam text{Type::text}, bytes{Type::bytes}, is_json{Type::boolean};

    void add(const std::string& json)
    {
        if (fits_text(json)) {
            text.add(std::string_view(json));
            bytes.add_null();
            is_json.add(is_plain_json(json));
        } else {
            text.add_null();
            bytes.add(std::string_view(json));
            is_json.add(false);
        }
    }
};

void add_number(ArrayParam& to, const std::optional<Instant>& when)
{
    when ? to.add(std::int64_t{when->time_since_epoch().count()}) : to.add_null();
}

void add_readable(ArrayParam& to, const std::string& text)
{
    to.add(std::string_view(readable_text(text)));
}

void add_readable(ArrayParam& to, const std::optional<std::string>& text)
{
    text ? add_readable(to, *text) : to.add_null();
}

Query conversations_query(const std::vector<cache::PublishedConversation>& rows, std::size_t from_here)
{
    Body item;
    ArrayParam id(Type::text), chats_at(Type::number), held(Type::number), last_us(Type::number),
        created_us(Type::number), last_at(Type::time), created_at(Type::time), title(Type::text), user(Type::text),
        app(Type::text), name(Type::text), state(Type::text), categories(Type::text), deleted(Type::boolean),
        deleted_us(Type::number), is_end(Type::boolean), variables(Type::bytes);
    for (const cache::PublishedConversation& row : rows) {
        id.add(std::string_view(escape_id(row.id)));
        item.add(row.item);
        chats_at.add(row.chats_at);
        held.add(row.held);
        add_number(last_us, row.last_chat_at);
        add_number(created_us, row.created_at);
        last_at.add_time(row.last_chat_at);
        created_at.add_time(row.created_at);
        add_readable(title, row.title);
        add_readable(user, row.user_id);
        add_readable(app, row.app_id);
        add_readable(name, row.user_name);
        add_readable(state, row.state);
        add_readable(categories, row.categories);
        deleted.add(row.deleted);
        add_number(deleted_us, row.deleted_at);
        is_end.add(row.is_end);
        variables.add(std::string_view(row.variables));
    }
    return {conversations_sql,
            {id.take(),           item.text.take(),  item.bytes.take(),
             item.is_json.take(), chats_at.take(),   held.take(),
             last_us.take(),      created_us.take(), last_at.take(),
             created_at.take(),   title.take(),      user.take(),
             app.take(),          name.take(),       state.take(),
             categories.take(),   deleted.take(),    deleted_us.take(),
             is_end.take(),       variables.take(),  number_param(static_cast<std::int64_t>(from_here))}};
}

Query chats_query(const std::vector<cache::PublishedChat>& rows, std::size_t from_here)
{
    Body chat;
    ArrayParam conversation(Type::text), ordinal(Type::number), id(Type::text), sender(Type::text),
        sent_us(Type::number), sent_at(Type::time), message(Type::text), rating(Type::text), agent(Type::text),
        feedback(Type::text), suggested(Type::text), detail(Type::bytes);
    for (const cache::PublishedChat& row : rows) {
        conversation.add(std::string_view(escape_id(row.conversation)));
        ordinal.add(row.ordinal);
        id.add(std::string_view(escape_id(row.id)));
        chat.add(row.chat);
        add_readable(sender, row.sender);
        add_number(sent_us, row.sent_at);
        sent_at.add_time(row.sent_at);
        add_readable(message, row.message);
        add_readable(rating, row.rating);
        add_readable(agent, row.agent_rating);
        add_readable(feedback, row.feedback);
        add_readable(suggested, row.suggested_answer);
        detail.add(std::string_view(row.detail));
    }
    return {chats_sql,
            {conversation.take(), ordinal.take(), id.take(), chat.text.take(), chat.bytes.take(), chat.is_json.take(),
             sender.take(), sent_us.take(), sent_at.take(), message.take(), rating.take(), agent.take(),
             feedback.take(), suggested.take(), detail.take(), number_param(static_cast<std::int64_t>(from_here))}};
}

Query cut_query(const std::vector<cache::PublishedConversation>& rows)
{
    ArrayParam id(Type::text), held(Type::number);
    for (const cache::PublishedConversation& row : rows) {
        id.add(std::string_view(escape_id(row.id)));
        held.add(row.held);
    }
    return {cut_sql, {id.take(), held.take()}};
}

Query state_query(const std::vector<cache::PublishedState>& rows)
{
    ArrayParam name(Type::text), value(Type::bytes);
    for (const cache::PublishedState& row : rows) {
        name.add(std::string_view(escape_id(row.name)));
        value.add(std::string_view(row.value));
    }
    return {state_sql, {name.take(), value.take(), number_param(std::ssize(rows))}};
}

void add_rows(std::vector<Query>& queries, const cache::PublishedRows& rows)
{
    if (!rows.conversations.empty()) queries.push_back(conversations_query(rows.conversations, rows.size()));
    if (!rows.chats.empty()) queries.push_back(chats_query(rows.chats, rows.size() - rows.conversations.size()));
    if (!rows.conversations.empty()) queries.push_back(cut_query(rows.conversations));
    if (!rows.state.empty()) queries.push_back(state_query(rows.state));
}

} // namespace

void begin_transaction(std::vector<Query>& queries)
{
    queries.push_back({begin_sql});
}

void begin_numbering(std::vector<Query>& queries, std::int64_t count)
{
    begin_transaction(queries);
    queries.push_back({number_sql, {number_param(std::max<std::int64_t>(count, 1))}});
}

void next_number(std::vector<Query>& queries, const std::string& nonce)
{
    queries.push_back({trail_sql, {nonce}});
    queries.push_back({number_sql, {number_param(1)}});
}

void begin_fenced(std::vector<Query>& queries, const Publisher& by, std::int64_t count)
{
    const Param epoch = number_param(by.epoch);
    begin_transaction(queries);
    queries.push_back({fenced_number_sql, {number_param(std::max<std::int64_t>(count, 1)), epoch, by.self.holder}});
    queries.push_back({fence_sql, {epoch, by.self.holder, number_param(by.mine.number), by.mine.nonce}});
}

void end_numbering(std::vector<Query>& queries, const std::string& nonce)
{
    queries.push_back({trail_sql, {nonce}});
    if (nonce.starts_with("00")) // one of 256: it reads the whole index
        for (const char* const sql : {forget_sql, forget_runs_sql, forget_ends_sql}) queries.push_back({sql});
    queries.push_back({commit_sql});
}

Task<std::vector<Result>> run_fenced(Session& session, std::vector<Query> queries, Commit commit)
{
    try {
        co_return co_await session.run(std::move(queries), commit);
    } catch (const ServerError& error) {
        if (error.state() == fenced_off) throw NotLeader();
        throw;
    }
}

Task<Position> publish_rows(Session& session, Publisher by, cache::PublishedRows rows, std::string nonce)
{
    keep_latest(rows);
    std::vector<Query> queries;
    begin_fenced(queries, by, static_cast<std::int64_t>(rows.size()));
    add_rows(queries, rows);
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await run_fenced(session, std::move(queries));
    co_return Position{results.at(1).number(0, 0), nonce};
}

Task<> put_state(Session& session, std::vector<cache::PublishedState> state, std::string nonce)
{
    std::vector<Query> queries;
    begin_numbering(queries, std::ssize(state));
    queries.push_back(state_query(state));
    end_numbering(queries, nonce);
    co_await session.run(std::move(queries));
}

Task<> notify_news(Session& session)
{
    std::vector<Query> queries;
    queries.push_back({notify_sql, {session.schema()}});
    co_await session.run(std::move(queries));
}

} // namespace alli::cluster
