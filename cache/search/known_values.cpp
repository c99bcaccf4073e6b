// SPDX-License-Identifier: Apache-2.0
#include "cache/search/known_values.hpp"

#include "cache/text/normalizer.hpp"

#include <simdjson.h>

#include <algorithm>

namespace alli::cache {
namespace {

std::string app_name(std::string_view raw_conversation)
{
    thread_local simdjson::dom::parser parser;
    std::string_view name;
    simdjson::dom::element root;
    if (parser.parse(raw_conversation.data(), raw_conversation.size()).get(root) != simdjson::SUCCESS) return {};
    return root["llmApp"]["name"].get(name) == simdjson::SUCCESS ? std::string(name) : std::string();
}

// From each value to the next one, by the index.
std::vector<std::string> distinct(Reader& db, std::string_view column, std::string_view table)
{
    std::vector<std::string> found;
    const std::string next = fmt::format("SELECT min({0}) FROM {1} WHERE {0} > ?1 AND {0} <> ''", column, table);
    auto value = db.one<std::string>(next, "");
    for (; value; value = db.one<std::string>(next, found.back())) found.push_back(*value);
    return found;
}

} // namespace

std::string folded(std::string_view text)
{
    std::string out;
    Normalizer letters(text);
    Letter letter;
    while (letters.next(letter)) append_utf8(out, letter.code);
    return out;
}

std::vector<KnownApp> known_apps(Reader& db)
{
    std::vector<KnownApp> apps;
    std::string last;
    for (;;) {
        Rows next = db.query("SELECT app_id, raw FROM conversation WHERE app_id > ?1 ORDER BY app_id LIMIT 1", last);
        if (!next.step()) return apps;
        last = std::string(next.row().text(0));
        apps.push_back({last, app_name(next.row().text(1))});
    }
}

std::vector<std::string> borne_categories(Reader& db)
{
    return distinct(db, "name", "category");
}

// A conversation bears either.
std::vector<std::string> names_of_category(Reader& db, const std::string& category)
{
    std::vector<std::string> names{folded(category)};
    for (const Row row : db.query("SELECT id, name FROM known_category")) {
        const std::string id = folded(row.text(0)), name = folded(row.text(1));
        if (id != names.front() && name != names.front()) continue;
        names.push_back(id);
        names.push_back(name);
    }
    return names;
}

std::vector<std::string> apps_meant(Reader& db, const std::string& value)
{
    std::vector<std::string> ids;
    for (KnownApp& known : known_apps(db))
        if (known.id == value || folded(known.name) == folded(value)) ids.push_back(std::move(known.id));
    return ids;
}

std::vector<std::string> categories_meant(Reader& db, const std::string& value)
{
    const std::vector<std::string> wanted = names_of_category(db, value);
    std::vector<std::string> names = borne_categories(db);
    std::erase_if(names, [&](const std::string& name) {
        return std::find(wanted.begin(), wanted.end(), folded(name)) == wanted.end();
    });
    return names;
}

bool has_user_id(Reader& db, const std::string& user, const Visibility& seen)
{
    return db.exists("SELECT 1 FROM conversation WHERE user_id = ?1 AND (?2 = '' OR app_id = ?2)"
                     " AND (?3 = '' OR user_id = ?3)",
                     user, seen.app, seen.user);
}

std::vector<std::string> known_facts(Reader& db, std::string_view fact)
{
    return distinct(db, fact, "conversation_fact");
}

} // namespace alli::cache
