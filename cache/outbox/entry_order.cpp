// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/entry_order.hpp"

#include "cache/db/meta.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::string_view highest = "highest_place"; // that was given out, as far as the rows do not say

} // namespace

std::int64_t next_place(Writer& db)
{
    const auto gone = find_meta<std::int64_t>(db, highest).value_or(0);
    return std::max(gone, db.one<std::int64_t>("SELECT max(place) FROM entry").value_or(0)) + 1;
}

void note_highest_place(Writer& db)
{
    put_meta(db, highest, next_place(db) - 1);
}

} // namespace alli::cache
