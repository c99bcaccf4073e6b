// SPDX-License-Identifier: Apache-2.0
// A row of the table `entry` as a SharedWrite, and statements that several parts of the outbox use. Pure.
#pragma once

#include "cache/replica/shared_write.hpp"
#include "cluster/libpq/connection.hpp"

#include <vector>

// As write_of() reads them.
#define ALLI_WRITE_COLUMNS                                                                                             \
    "id, place, kind, state, conversation, chat, method, path, headers, body, upstream_key, base, conflict, response," \
    " response_type, last_error, last_status, attempts, created_us, next_attempt_us, in_doubt, forced, seq, node,"     \
    " principal, epoch, client_key, request_hash, crashes, told, discarded, settled_us, replaced, foreign_answer,"     \
    " foreign_said, foreign_count, foreign_since_us, unproven_us"

// Those of the open ones, see the table.
#define ALLI_OPEN_WRITES " FROM entry WHERE state <> 'delivered' AND NOT discarded"

#define ALLI_NOW_US "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

namespace alli::cluster {

inline constexpr int write_columns = 38; // the first that is not one of a row

cache::SharedWrite write_of(const Result& result, int row);
std::vector<cache::SharedWrite> writes_of(const Result& result);
std::optional<cache::SharedWrite> find_write(const Result& result); // of none or one

/// The row of an id.
Query write_query(std::int64_t id);
/// Counts the open ones anew, where more than one of them changed.
Query recount_query();

Param flag_param(bool flag);
Param instant_param(const std::optional<Instant>& when);
Param optional_number_param(const std::optional<std::int64_t>& number);
Param id_param(const std::optional<ConversationId>& id);
Param id_param(const std::optional<ChatId>& id);

} // namespace alli::cluster
