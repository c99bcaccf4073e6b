// SPDX-License-Identifier: Apache-2.0
// Which days (UTC) have figures that are out of date, because a row that counts in them changed: their stored figures
// go in the same commit (cache/insights/rollup_days.hpp).
#pragma once

#include "alli/instant.hpp"
#include "cache/db/writer.hpp"

#include <optional>
#include <string>
#include <tuple>

namespace alli::cache {

/// The day of that time; without a time none.
void mark_stale(Writer& db, const std::optional<Instant>& when);

/// The days of a conversation's chats from an ordinal on.
void mark_stale_chats(Writer& db, std::int64_t conversation, std::int64_t from_ordinal);

/// Where a conversation counts: its creation, app, user, channel and categories.
using Standing = std::tuple<std::optional<Instant>, std::optional<std::string>, std::optional<std::string>,
                            std::optional<std::string>, std::optional<std::string>>;
Standing standing_of(Reader& db, std::int64_t conversation);

/// What changes with a conversation that stood elsewhere before.
void mark_stale_standing(Writer& db, std::int64_t conversation, const Standing& before);

/// The figures keep nothing of a user who has no conversation any more.
void forget_user(Writer& db, const std::optional<std::string>& user);

} // namespace alli::cache
