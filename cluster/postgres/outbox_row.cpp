// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/outbox_row.hpp"

#include "cluster/postgres/text.hpp"

namespace alli::cluster {
namespace {

constexpr const char* write_sql = "SELECT " ALLI_WRITE_COLUMNS " FROM entry WHERE id = $1::bigint";
constexpr const char* recount_sql = "UPDATE head SET open_writes = (SELECT count(*)" ALLI_OPEN_WRITES "),"
                                    " open_bytes = (SELECT coalesce(sum(octet_length(body)), 0)" ALLI_OPEN_WRITES ")";

std::optional<Instant> find_instant(const Result& result, int row, int column)
{
    const auto us = result.find_number(row, column);
    return us ? std::optional(Instant(std::chrono::microseconds(*us))) : std::nullopt;
}

template <class Id>
std::optional<Id> find_id(const Result& result, int row, int column)
{
    if (result.is_null(row, column)) return std::nullopt;
    return Id{unescape_id(result.text(row, column))};
}

template <class Id>
Param escaped(const std::optional<Id>& id)
{
    return id ? Param(escape_id(id->value)) : std::nullopt;
}

// A word of a later version is read as the outbox's own file reads it.
cache::Entry entry_of(const Result& result, int row)
{
    cache::Entry entry;
    entry.id = result.number(row, 0);
    entry.place = result.number(row, 1);
    entry.kind = cache::find_edit_kind(result.text(row, 2)).value_or(cache::EditKind::update);
    entry.state = cache::find_entry_state(result.text(row, 3)).value_or(cache::EntryState::failed);
    entry.conversation = find_id<ConversationId>(result, row, 4);
    entry.chat = find_id<ChatId>(result, row, 5);
    entry.method = result.text(row, 6);
    entry.path = result.text(row, 7);
    entry.headers = result.text(row, 8);
    entry.body = result.text(row, 9);
    entry.upstream_key = result.text(row, 10);
    entry.base = result.find_text(row, 11);
    entry.conflict = result.find_text(row, 12);
    entry.response = result.find_text(row, 13);
    entry.response_type = result.find_text(row, 14);
    entry.last_error = result.find_text(row, 15);
    if (const auto status = result.find_number(row, 16)) entry.last_status = static_cast<int>(*status);
    entry.attempts = static_cast<int>(result.number(row, 17));
    entry.created_at = Instant(std::chrono::microseconds(result.number(row, 18)));
    entry.next_attempt_at = find_instant(result, row, 19);
    entry.in_doubt = result.flag(row, 20);
    entry.forced = result.flag(row, 21);
    return entry;
}

std::optional<cache::ForeignNote> foreign_of(const Result& result, int row)
{
    if (result.is_null(row, 33)) return std::nullopt;
    return cache::ForeignNote{std::string(result.text(row, 33)), result.find_text(row, 34).value_or(""),
                              result.number(row, 35), find_instant(result, row, 36)};
}

} // namespace

cache::SharedWrite write_of(const Result& result, int row)
{
    cache::SharedWrite write;
    write.entry = entry_of(result, row);
    write.number = result.number(row, 22);
    write.node = result.text(row, 23);
    write.principal = result.text(row, 24);
    write.epoch = result.number(row, 25);
    write.client_key = result.find_text(row, 26);
    write.request_hash = result.text(row, 27);
    write.crashes = static_cast<int>(result.number(row, 28));
    write.told = result.flag(row, 29);
    write.discarded = result.flag(row, 30);
    write.settled_at = find_instant(result, row, 31);
    write.before = result.find_text(row, 32);
    write.foreign = foreign_of(result, row);
    write.unproven_at = find_instant(result, row, 37);
    return write;
}

std::vector<cache::SharedWrite> writes_of(const Result& result)
{
    std::vector<cache::SharedWrite> writes;
    for (int row = 0; row < result.rows(); ++row) writes.push_back(write_of(result, row));
    return writes;
}

std::optional<cache::SharedWrite> find_write(const Result& result)
{
    return result.rows() > 0 ? std::optional(write_of(result, 0)) : std::nullopt;
}

Query write_query(std::int64_t id)
{
    return {write_sql, {number_param(id)}};
}

Query recount_query()
{
    return {recount_sql};
}

Param flag_param(bool flag)
{
    return std::string(1, flag ? '\1' : '\0');
}

Param instant_param(const std::optional<Instant>& when)
{
    return when ? number_param(when->time_since_epoch().count()) : std::nullopt;
}

Param optional_number_param(const std::optional<std::int64_t>& number)
{
    return number ? number_param(*number) : std::nullopt;
}

Param id_param(const std::optional<ConversationId>& id)
{
    return escaped(id);
}

Param id_param(const std::optional<ChatId>& id)
{
    return escaped(id);
}

} // namespace alli::cluster
