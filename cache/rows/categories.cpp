// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/categories.hpp"

#include <nlohmann/json.hpp>

namespace alli::cache {
namespace {

std::vector<Category> load_known(Connection& db)
{
    const auto read = [](const Row& row) { return Category{std::string(row.text(0)), std::string(row.text(1))}; };
    return db.all(read, "SELECT id, name FROM known_category ORDER BY id");
}

// Conversations bear names, or nothing is known of it: names are likely (api/NOTES.md).
bool rows_bear_names(Connection& db)
{
    const bool name_seen = db.exists("SELECT 1 FROM known_category k WHERE k.name <> k.id AND EXISTS"
                                     " (SELECT 1 FROM category g WHERE g.name = k.name) LIMIT 1");
    return name_seen || !db.exists("SELECT 1 FROM known_category k WHERE EXISTS"
                                   " (SELECT 1 FROM category g WHERE g.name = k.id) LIMIT 1");
}

} // namespace

std::optional<CategoryList> find_category_list(Reader& db)
{
    const auto read = [](const Row& row) { return CategoryList{std::string(row.text(0)), row.get<Instant>(1)}; };
    return db.one(read, "SELECT raw, verified_at FROM category_list");
}

void put_category_list(Writer& db, const std::string& raw, std::span<const Category> categories, Instant verified_at)
{
    db.run("INSERT INTO category_list (one, raw, verified_at) VALUES (1, ?1, ?2)"
           " ON CONFLICT DO UPDATE SET raw = ?1, verified_at = ?2",
           raw, verified_at);
    std::map<std::string, std::string> wanted, known;
    for (const Category& one : categories) wanted[one.id] = one.name;
    for (const Category& one : load_known(db)) known[one.id] = one.name;
    if (wanted == known) return;
    db.change_set().lists(); // a filter may find others now
    db.run("DELETE FROM known_category");
    for (const auto& [id, name] : wanted) db.run("INSERT INTO known_category (id, name) VALUES (?1, ?2)", id, name);
}

std::optional<std::vector<std::string>> find_category_values(Connection& db, const std::string& id)
{
    const auto name = db.one<std::string>("SELECT name FROM known_category WHERE id = ?1", id);
    if (!name) return std::nullopt;
    const auto alike = db.require<std::int64_t>(
        "SELECT count(*) FROM known_category WHERE id IN (?1, ?2) OR name IN (?1, ?2)", id, *name);
    if (alike != 1) return std::nullopt;
    std::vector<std::string> values{id};
    if (*name != id) values.push_back(*name);
    return values;
}

bool resolve_category(Reader& db, ListFilter& filter)
{
    if (!filter.category_id) return true;
    auto values = find_category_values(db, *filter.category_id);
    if (!values) return false;
    // Where rows bear one of the two alone, an index finds them in order.
    std::erase_if(*values, [&](const std::string& value) {
        return !db.exists("SELECT 1 FROM category WHERE name = ?1 LIMIT 1", value);
    });
    if (!values->empty()) filter.category_id = values->front();
    if (values->size() > 1) filter.category_also = values->back();
    return true;
}

// From each value to the next one, by the index: categories are few.
bool has_unknown_category(Reader& db)
{
    auto value = db.one<std::string>("SELECT min(name) FROM category");
    while (value && db.exists("SELECT 1 FROM known_category WHERE id = ?1 OR name = ?1 LIMIT 1", *value))
        value = db.one<std::string>("SELECT min(name) FROM category WHERE name > ?1", *value);
    return value.has_value();
}

Patch CategoryNames::shown(Patch patch) const
{
    for (auto& [name, value] : patch) {
        if (name != "categories" || name_of_.empty()) continue;
        auto categories = nlohmann::json::parse(value, nullptr, false);
        if (!categories.is_array()) continue;
        for (auto& one : categories) {
            const auto known = one.is_string() ? name_of_.find(one.get<std::string>()) : name_of_.end();
            if (known != name_of_.end()) one = known->second;
        }
        value = categories.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    return patch;
}

CategoryNames load_category_names(Connection& db)
{
    CategoryNames names;
    if (!rows_bear_names(db)) return names;
    for (Category& one : load_known(db)) names.name_of_.emplace(std::move(one.id), std::move(one.name));
    return names;
}

} // namespace alli::cache
