// SPDX-License-Identifier: Apache-2.0
// What the mirror says of itself (coverage, progress, what could not be read) as texts by name, so that another node
// can take it over: a table of tables, each written whole. A text is opaque: it is read by put_state() alone.
#pragma once

#include "cache/replica/published.hpp"
#include "cache/rows/suppression_list.hpp"

#include <span>

namespace alli::cache {

struct StateTable {
    std::string_view name, table, columns; // the first column is the key
    std::string_view when;                 // which of its rows; empty: all. @ is a row's prefix, in triggers and here
};
std::span<const StateTable> state_tables();

/// The unit of time in which upstream's numbers are read. It claims nothing and may be applied before the rows.
inline constexpr std::string_view unit_name = "unit";

/// Of one of the tables, or of unit_name; none: there is no such name.
std::optional<PublishedState> find_state(Reader& db, std::string_view name);

/// Makes the table's rows those. Names that are not known are passed over: a newer leader may have more. Throws
/// Error{bad_reply} for a text that is none of ours.
void put_state(Writer& db, const PublishedState& state);

/// The suppression list in it, without a version; without a key where that is not in it. None: nothing of it is in it.
std::optional<SuppressionList> find_suppressions(std::span<const PublishedState> state);

} // namespace alli::cache
