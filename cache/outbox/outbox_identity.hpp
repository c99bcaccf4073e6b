// SPDX-License-Identifier: Apache-2.0
// Which outbox a mirror was last open with, and the last number given out there: so that a start with another one, or
// with an older copy, can say what is missing. mirror.db hears of it after outbox.db: it may know less, never more.
#pragma once

#include "cache/db/writer.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// By which name it has how far it is a copy of the outbox that a cluster shares.
inline constexpr std::string_view cluster_writes_position_name = "cluster_writes_position";

/// Of a new outbox, from random bytes; one that has an id keeps it.
void make_outbox_id(Writer& outbox, const std::string& bytes);

// `schema`: the name that the outbox is attached by.
std::optional<std::string> find_outbox_id(Connection& db, const std::string& schema = "main");
std::int64_t last_outbox_number(Connection& db, const std::string& schema = "main");
/// No number up to this one is given out any more.
void raise_number(Writer& outbox, std::int64_t number);

/// With each commit to the mirror: the last number that was acknowledged.
void note_outbox_number(Writer& mirror, std::int64_t number);
std::int64_t known_outbox_number(Reader& mirror);

// At a start:
/// Whether it is the one that the mirror was last open with.
bool knows_outbox(Reader& mirror, Reader& outbox);
/// A sentence when writes that were acknowledged are not in this outbox.
std::optional<std::string> find_missing_writes(Reader& mirror, Reader& outbox);
/// From now on the mirror knows this one, and no number that it heard of is given out again. `older`: what waits in it
/// may have been delivered since, and is read back before it is sent.
void adopt_outbox(Writer& mirror, Writer& outbox, bool older);

} // namespace alli::cache
