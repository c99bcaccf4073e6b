// SPDX-License-Identifier: Apache-2.0
#include "cache/assemble.hpp"

#include <algorithm>
#include <utility>

namespace alli::cache {

std::string assemble(Reader& db, const Row& row, std::int64_t embedded)
{
    const std::string_view raw = row.text(1);
    const auto at = row.optional_integer(2);
    if (!at) return std::string(raw);

    const auto cut = std::min(static_cast<std::size_t>(*at), raw.size());
    std::string json(raw.substr(0, cut));
    const std::int64_t first = std::max<std::int64_t>(0, row.integer(3) - embedded);
    bool more = false;
    for (const Row chat : db.query("SELECT raw FROM chat WHERE conversation = ?1 AND ordinal >= ?2 ORDER BY ordinal",
                                   row.integer(0), first)) {
        if (std::exchange(more, true)) json += ',';
        json += chat.text(0);
    }
    json += raw.substr(cut);
    return json;
}

} // namespace alli::cache
