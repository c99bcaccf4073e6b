// SPDX-License-Identifier: Apache-2.0
// How writes come into the shared outbox: accepted at any node, or handed over after commits were lost.
#include "cluster/postgres/outbox.hpp"
#include "cluster/postgres/outbox_row.hpp"
#include "cluster/postgres/text.hpp"

#include <algorithm>
#include <map>

namespace alli::cluster {
namespace {

// Whoever is here has the lock of `head`: nobody else accepts meanwhile. The same request again is no other row.
constexpr const char* accept_sql =
    "WITH put AS (INSERT INTO entry (id, place, seq, kind, state, conversation, chat, method, path, headers, body,"
    " upstream_key, principal, client_key, request_hash, base, created_us, node)"
    " SELECT last, last, last, $1::text, 'pending', $2::text, $3::text, $4::bytea, $5::bytea, $6::bytea, $7::bytea,"
    " $8::bytea, $9::bytea, $10::bytea, $11::bytea, $12::bytea, $13::bigint, $14::text FROM head"
    " WHERE open_writes < $15::bigint AND open_bytes + octet_length($7::bytea) <= $16::bigint"
    " ON CONFLICT DO NOTHING RETURNING octet_length(body) AS size)"
    " UPDATE head SET open_writes = open_writes + 1, open_bytes = open_bytes + size FROM put";
constexpr const char* accepted_sql =
    "SELECT " ALLI_WRITE_COLUMNS " FROM entry WHERE upstream_key = $1::bytea"
    " OR (sha256(principal) = sha256($2::bytea) AND sha256(client_key) = sha256($3::bytea))"
    " ORDER BY upstream_key = $1::bytea DESC LIMIT 1";
constexpr const char* open_sql = "SELECT open_writes FROM head";

// Numbers from here on lie above those of the database that was.
constexpr const char* number_above_sql =
    "UPDATE head SET last = greatest(last, $1::bigint) + $2::bigint RETURNING last";
constexpr const char* hand_over_sql =
    "INSERT INTO entry (id, place, kind, state, conversation, chat, method, path, headers, body, upstream_key, base,"
    " response, response_type, last_error, last_status, attempts, created_us, in_doubt, forced, seq, node, principal,"
    " epoch, client_key, request_hash, told, discarded, settled_us, replaced)"
    " SELECT CASE WHEN given.id > 0 AND NOT EXISTS (SELECT FROM entry WHERE id = given.id) THEN given.id"
    " ELSE given.fresh END,"
    " CASE WHEN given.place > 0 AND NOT EXISTS (SELECT FROM entry WHERE place = given.place) THEN given.place"
    " ELSE given.fresh END,"
    " $4::text, CASE WHEN twice AND $5::text = 'conflict' THEN 'failed' ELSE $5::text END, $6::text, $7::text,"
    " $8::bytea, $9::bytea, $10::bytea, $11::bytea, $12::bytea, $13::bytea, $14::bytea, $15::bytea,"
    " CASE WHEN twice AND $5::text = 'conflict' THEN convert_to('another write has its Idempotency-Key', 'UTF8')"
    " ELSE $16::bytea END, $17::bigint, $18::bigint, $19::bigint, $20::boolean, $21::boolean, last, $22::text,"
    " $23::bytea, $24::bigint, CASE WHEN NOT twice THEN $25::bytea END, $26::bytea, $27::boolean, $28::boolean,"
    " CASE WHEN $5::text <> 'conflict' OR twice OR $28::boolean THEN " ALLI_NOW_US " END, $29::bytea"
    " FROM head, LATERAL (SELECT $1::bigint AS id, $2::bigint AS place, last - $3::bigint AS fresh,"
    " EXISTS (SELECT FROM entry WHERE sha256(principal) = sha256($23::bytea)"
    " AND sha256(client_key) = sha256($25::bytea)) AS twice) AS given"
    " ON CONFLICT (upstream_key) DO UPDATE SET state = 'delivered', last_status = excluded.last_status,"
    " last_error = excluded.last_error, response = excluded.response, response_type = excluded.response_type,"
    " conflict = NULL, next_attempt_us = NULL, in_doubt = false, told = excluded.told,"
    " settled_us = excluded.settled_us, seq = excluded.seq"
    " WHERE excluded.state = 'delivered' AND entry.state <> 'delivered' AND NOT entry.discarded";
constexpr const char* named_sql = "SELECT " ALLI_WRITE_COLUMNS " FROM entry WHERE upstream_key = ANY ($1::bytea[])";

std::string text_of(cache::EditKind kind)
{
    return std::string(name_of(kind));
}

Query accept_query(const std::string& node, const cache::NewWrite& write, const cache::OutboxLimits& limits)
{
    const cache::NewEntry& entry = write.entry;
    return {accept_sql,
            {text_of(entry.kind), id_param(entry.conversation), id_param(entry.chat), entry.method, entry.path,
             entry.headers, entry.body, entry.upstream_key, write.principal, entry.client_key, entry.request_hash,
             entry.base, instant_param(entry.created_at), readable_text(node), number_param(limits.entries),
             number_param(limits.bytes)}};
}

bool is_settled(const cache::SharedWrite& write)
{
    return write.discarded || write.entry.state == cache::EntryState::delivered ||
           write.entry.state == cache::EntryState::failed;
}

/// `from_last`: which of the numbers that this transaction takes is its own, counted from the last one.
Query hand_over_query(const cache::SharedWrite& write, const std::string& why, std::int64_t from_last)
{
    const cache::Entry& entry = write.entry;
    const bool settled = is_settled(write);
    const std::optional<std::int64_t> status =
        entry.last_status ? std::optional<std::int64_t>(*entry.last_status) : std::nullopt;
    return {hand_over_sql,
            {number_param(entry.id),
             number_param(entry.place),
             number_param(from_last),
             text_of(entry.kind),
             std::string(settled ? name_of(entry.state) : "conflict"),
             id_param(entry.conversation),
             id_param(entry.chat),
             entry.method,
             entry.path,
             entry.headers,
             entry.body,
             entry.upstream_key,
             entry.base,
             entry.response,
             entry.response_type,
             settled ? entry.last_error : why,
             optional_number_param(status),
             number_param(entry.attempts),
             instant_param(entry.created_at),
             flag_param(!settled || entry.in_doubt),
             flag_param(entry.forced),
             readable_text(write.node),
             write.principal,
             number_param(write.epoch),
             write.client_key,
             write.request_hash,
             flag_param(write.told),
             flag_param(write.discarded),
             write.before}};
}

Query named_query(const std::vector<cache::SharedWrite>& writes)
{
    ArrayParam keys(ArrayParam::Type::bytes);
    for (const cache::SharedWrite& write : writes) keys.add(std::string_view(write.entry.upstream_key));
    return {named_sql, {keys.take()}};
}

Accepted accepted_of(cache::SharedWrite found, const cache::NewEntry& asked)
{
    using Kind = cache::Acceptance::Kind;
    const Kind kind = found.entry.upstream_key == asked.upstream_key ? Kind::fresh
                      : found.request_hash == asked.request_hash     ? Kind::repeated
                                                                     : Kind::mismatch;
    return {kind, std::move(found)};
}

} // namespace

Accepted accepted_or_throw(AcceptResult result)
{
    if (!result.accepted)
        throw Error(Fault::unavailable, "see what holds it up: alli-mirror outbox list",
                    "the cluster's queue of writes is full ({} wait or failed)", result.open);
    return std::move(*result.accepted);
}

// Found or made: it is a commit like any other, behind which all that it found is safe. Each has a number of its own.
Task<std::vector<AcceptResult>> accept_writes(Session& session, std::string node, std::vector<WantedWrite> wanted,
                                              std::string nonce)
{
    std::vector<Query> queries;
    for (const WantedWrite& one : wanted) {
        const cache::NewEntry& asked = one.write.entry;
        queries.empty() ? begin_numbering(queries, 1) : next_number(queries, nonce);
        queries.push_back(accept_query(node, one.write, one.limits));
        queries.push_back({accepted_sql, {asked.upstream_key, one.write.principal, asked.client_key}});
        queries.push_back({open_sql});
    }
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await session.run(std::move(queries), Commit::acknowledged);

    constexpr std::size_t statements = 5; // between two that are found
    std::vector<AcceptResult> all;
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        AcceptResult result;
        auto found = find_write(results.at(3 + statements * at));
        if (found) result.accepted = accepted_of(std::move(*found), wanted[at].write.entry);
        result.open = results.at(4 + statements * at).number(0, 0);
        all.push_back(std::move(result));
    }
    co_return all;
}

Task<std::vector<cache::SharedWrite>> hand_over_writes(Session& session, std::vector<cache::SharedWrite> held,
                                                       std::string why, std::string nonce)
{
    if (held.empty()) co_return held;
    std::int64_t highest = 0;
    for (const cache::SharedWrite& write : held) highest = std::max({highest, write.entry.id, write.entry.place});
    std::vector<Query> queries;
    begin_transaction(queries);
    queries.push_back({number_above_sql, {number_param(highest), number_param(std::ssize(held))}});
    for (std::int64_t at = 0; at < std::ssize(held); ++at)
        queries.push_back(hand_over_query(held[static_cast<std::size_t>(at)], why, std::ssize(held) - 1 - at));
    queries.push_back(recount_query());
    queries.push_back(named_query(held));
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await session.run(std::move(queries), Commit::acknowledged);

    std::map<std::string, cache::SharedWrite> by_key;
    for (cache::SharedWrite& write : writes_of(results.at(3 + held.size())))
        by_key.emplace(write.entry.upstream_key, std::move(write));
    std::vector<cache::SharedWrite> now;
    for (const cache::SharedWrite& write : held) now.push_back(by_key.at(write.entry.upstream_key));
    co_return now;
}

} // namespace alli::cluster
