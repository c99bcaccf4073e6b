// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/drift.hpp"

#include <array>
#include <utility>

namespace alli::cache {
namespace {

constexpr std::array counts{
    std::pair{"audited", &Drift::audited},
    std::pair{"differed", &Drift::differed},
    std::pair{"deleted", &Drift::deleted},
};
constexpr std::string_view field_prefix = "field:";

void add(Writer& db, const std::string& name, std::int64_t count)
{
    if (count == 0) return;
    db.run("INSERT INTO drift (name, count) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET count = count + ?2", name,
           count);
}

} // namespace

void add_drift(Writer& db, const Drift& found)
{
    for (const auto& [name, member] : counts) add(db, name, found.*member);
    for (const auto& [field, count] : found.fields) add(db, std::string(field_prefix) + field, count);
}

Drift load_drift(Reader& db)
{
    Drift drift;
    for (const Row row : db.query("SELECT name, count FROM drift")) {
        const std::string_view name = row.text(0);
        if (name.starts_with(field_prefix))
            drift.fields[std::string(name.substr(field_prefix.size()))] = row.integer(1);
        for (const auto& [known, member] : counts)
            if (name == known) drift.*member = row.integer(1);
    }
    return drift;
}

} // namespace alli::cache
