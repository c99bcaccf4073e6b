// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/rounds.hpp"

#include "cluster/postgres/asked.hpp"
#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/text.hpp"

// As conversations_of() and chats_of() read them.
#define ALLI_CONVERSATION_COLUMNS                                                                                      \
    "id, item, bytes, chats_at, held, last_chat_us, created_us, title, user_id, app_id, user_name, state, categories," \
    " deleted, deleted_us, is_end, variables"
#define ALLI_CHAT_COLUMNS                                                                                              \
    "conversation, ordinal, id, chat, bytes, sender, sent_us, message, rating, agent_rating, feedback,"                \
    " suggested_answer, detail"

namespace alli::cluster {
namespace {

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* commit_sql = "COMMIT";

// How far a part of a round goes, counted before anything is fetched: to the end of the last transaction whose rows
// fit, or of the first one. The statements that follow read it where it is kept until the end of this transaction.
constexpr const char* part_sql =
    "WITH near AS ((SELECT seq, coalesce(pg_column_size(item), pg_column_size(bytes)) AS size FROM conversation"
    " WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint + 1)"
    " UNION ALL (SELECT seq, coalesce(pg_column_size(chat), pg_column_size(bytes)) FROM chat"
    " WHERE seq > $1::bigint ORDER BY seq LIMIT $2::bigint + 1)),"
    " summed AS (SELECT seq, row_number() OVER (ORDER BY seq) AS nth, sum(size) OVER (ORDER BY seq) AS bytes FROM "
    "near),"
    " beyond AS (SELECT min(seq) AS seq FROM summed WHERE nth > $2::bigint OR bytes > $3::bigint),"
    " part AS (SELECT CASE WHEN beyond.seq IS NULL THEN head.last ELSE coalesce("
    "(SELECT max(seq) FROM trail WHERE seq > $1::bigint AND seq < beyond.seq),"
    " (SELECT min(seq) FROM trail WHERE seq >= beyond.seq), head.last) END AS upto FROM beyond, head)"
    " SELECT upto, (SELECT nonce FROM trail WHERE seq = upto), set_config('alli_mirror.upto', upto::text, true)"
    " FROM part";
#define ALLI_PART " WHERE seq > $1::bigint AND seq <= current_setting('alli_mirror.upto')::bigint"
constexpr const char* conversations_sql =
    "SELECT " ALLI_CONVERSATION_COLUMNS " FROM conversation" ALLI_PART " ORDER BY id";
constexpr const char* chats_sql = "SELECT " ALLI_CHAT_COLUMNS " FROM chat" ALLI_PART " ORDER BY conversation, ordinal";
constexpr const char* state_sql = "SELECT name, value FROM state" ALLI_PART " ORDER BY name";
constexpr std::int64_t most_bytes = std::int64_t{16} << 20; // of a part

// One candidate more than the limit: where all of them are taken, none follows.
constexpr const char* conversations_by_id_sql =
    "SELECT " ALLI_CONVERSATION_COLUMNS ", count(*) OVER () < candidates AS more FROM"
    " (SELECT *, sum(1 + held) OVER (ORDER BY id) - 1 - held AS before, count(*) OVER () AS candidates FROM"
    " (SELECT * FROM conversation WHERE id > $1::text ORDER BY id LIMIT $2::bigint + 1) AS near) AS c"
    " WHERE before < $2::bigint ORDER BY id";
constexpr const char* chats_by_id_sql =
    "SELECT " ALLI_CHAT_COLUMNS " FROM"
    " (SELECT id AS near_id, sum(1 + held) OVER (ORDER BY id) - 1 - held AS before FROM"
    " (SELECT id, held FROM conversation WHERE id > $1::text ORDER BY id LIMIT $2::bigint + 1) AS near) AS c"
    " JOIN chat ON chat.conversation = c.near_id WHERE before < $2::bigint ORDER BY conversation, ordinal";

constexpr const char* named_conversations_sql =
    "SELECT " ALLI_CONVERSATION_COLUMNS " FROM conversation WHERE id = ANY ($1::text[]) ORDER BY id";
constexpr const char* named_chats_sql =
    "SELECT " ALLI_CHAT_COLUMNS " FROM chat WHERE conversation = ANY ($1::text[]) ORDER BY conversation, ordinal";

constexpr const char* named_state_sql =
    "SELECT name, value FROM state WHERE cardinality($1::text[]) = 0 OR name = ANY ($1::text[]) ORDER BY name";

std::optional<Instant> find_instant(const Result& result, int row, int column)
{
    const auto us = result.find_number(row, column);
    return us ? std::optional(Instant(std::chrono::microseconds(*us))) : std::nullopt;
}

std::string body(const Result& result, int row, int column)
{
    return std::string(result.text(row, result.is_null(row, column) ? column + 1 : column));
}

std::vector<cache::PublishedConversation> conversations_of(const Result& result)
{
    std::vector<cache::PublishedConversation> rows(static_cast<std::size_t>(result.rows()));
    for (int at = 0; at < result.rows(); ++at) {
        cache::PublishedConversation& row = rows[static_cast<std::size_t>(at)];
        row.id = unescape_id(result.text(at, 0));
        row.item = body(result, at, 1);
        row.chats_at = result.find_number(at, 3);
        row.held = result.number(at, 4);
        row.last_chat_at = find_instant(result, at, 5);
        row.created_at = find_instant(result, at, 6);
        row.title = result.find_text(at, 7);
        row.user_id = result.find_text(at, 8);
        row.app_id = result.find_text(at, 9);
        row.user_name = result.text(at, 10);
        row.state = result.text(at, 11);
        row.categories = result.text(at, 12);
        row.deleted = result.flag(at, 13);
        row.deleted_at = find_instant(result, at, 14);
        row.is_end = result.flag(at, 15);
        row.variables = result.text(at, 16);
    }
    return rows;
}

std::vector<cache::PublishedChat> chats_of(const Result& result)
{
    std::vector<cache::PublishedChat> rows(static_cast<std::size_t>(result.rows()));
    for (int at = 0; at < result.rows(); ++at) {
        cache::PublishedChat& row = rows[static_cast<std::size_t>(at)];
        row.conversation = unescape_id(result.text(at, 0));
        row.ordinal = result.number(at, 1);
        row.id = unescape_id(result.text(at, 2));
        row.chat = body(result, at, 3);
        row.sender = result.text(at, 5);
        row.sent_at = find_instant(result, at, 6);
        row.message = result.text(at, 7);
        row.rating = result.text(at, 8);
        row.agent_rating = result.text(at, 9);
        row.feedback = result.text(at, 10);
        row.suggested_answer = result.text(at, 11);
        row.detail = result.text(at, 12);
    }
    return rows;
}

std::vector<cache::PublishedState> state_of(const Result& result)
{
    std::vector<cache::PublishedState> rows;
    for (int at = 0; at < result.rows(); ++at)
        rows.push_back({unescape_id(result.text(at, 0)), std::string(result.text(at, 1))});
    return rows;
}

} // namespace

Task<Round> read_round(Session& session, Position after, std::size_t limit)
{
    const Param number = number_param(after.number), most = number_param(static_cast<std::int64_t>(limit));
    std::vector<Query> queries;
    queries.push_back({begin_sql});
    queries.push_back(head_query());
    queries.push_back(continuity_query(after));
    queries.push_back({part_sql, {number, most, number_param(most_bytes)}});
    add_asked(queries, after.number);
    for (const char* const sql : {conversations_sql, chats_sql, state_sql}) queries.push_back({sql, {number}});
    queries.push_back({commit_sql});
    std::vector<Result> results = co_await session.run(std::move(queries));

    Round round;
    round.head = head_of(results.at(1));
    round.now = results[1].time(0, 7);
    round.continuity = continuity_of(results.at(2));
    if (round.continuity != Continuity::same) co_return round;
    round.upto = {results.at(3).number(0, 0), results[3].find_text(0, 1).value_or("")};
    constexpr std::size_t asked = 4, first = asked + asked_queries;
    take_asked(results, asked, round);
    round.rows.conversations = conversations_of(results[first]);
    round.rows.chats = chats_of(results[first + 1]);
    round.rows.state = state_of(results[first + 2]);
    co_return round;
}

Task<Chunk> read_chunk(Session& session, std::string after, std::size_t limit)
{
    const Param id = escape_id(after), most = number_param(static_cast<std::int64_t>(limit));
    std::vector<Query> queries;
    queries.push_back({begin_sql});
    queries.push_back({conversations_by_id_sql, {id, most}});
    queries.push_back({chats_by_id_sql, {id, most}});
    queries.push_back({commit_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));

    Chunk chunk;
    chunk.rows.conversations = conversations_of(results.at(1));
    chunk.rows.chats = chats_of(results.at(2));
    chunk.at_end = results[1].rows() == 0 || !results[1].flag(0, 17);
    co_return chunk;
}

Task<cache::PublishedRows> find_rows(Session& session, std::vector<ConversationId> ids)
{
    ArrayParam wanted(ArrayParam::Type::text);
    for (const ConversationId& id : ids) wanted.add(std::string_view(escape_id(id.value)));
    const Param array = wanted.take();
    std::vector<Query> queries;
    queries.push_back({begin_sql});
    queries.push_back({named_conversations_sql, {array}});
    queries.push_back({named_chats_sql, {array}});
    queries.push_back({commit_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    cache::PublishedRows rows;
    rows.conversations = conversations_of(results.at(1));
    rows.chats = chats_of(results.at(2));
    co_return rows;
}

Task<std::vector<cache::PublishedState>> read_state(Session& session, std::vector<std::string> names)
{
    ArrayParam wanted(ArrayParam::Type::text);
    for (const std::string& name : names) wanted.add(std::string_view(escape_id(name)));
    std::vector<Query> queries;
    queries.push_back({named_state_sql, {wanted.take()}});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return state_of(results.at(0));
}

} // namespace alli::cluster
