// SPDX-License-Identifier: Apache-2.0
// Single values of a conversation or chat, read as far as they say something: a number in a string is a number, an id
// that is a number is its text. As the readers of wire.hpp do it.
// Pure.
#pragma once

#include "alli/instant.hpp"
#include "alli/json_scan.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace alli {

/// A time as a number, or as RFC 3339 with its hour. Where `unit` is unknown, a number that is likely a time settles
/// it.
std::optional<Instant> read_time(JsonValue value, TimeUnit& unit);

/// The unit of a number: `unit`; where that is unknown what the number suggests, kept when it is likely a time.
TimeUnit settle_unit(double number, TimeUnit& unit);

std::optional<std::int64_t> read_count(JsonValue value);
std::optional<bool> read_flag(JsonValue value);

/// A string that can be decoded whole, or the text of a number; none when it is neither, or empty.
std::optional<std::string> read_id(JsonValue value);

/// What a thing without an id of its own is kept under: a name made of its bytes.
std::string made_up_id(std::string_view raw);
/// The id that the readers of wire.hpp give an item.
std::string id_of_item(JsonValue item);
/// Upstream knows nobody of that name: it must not be asked for one.
bool is_made_up(std::string_view id);

} // namespace alli
