// SPDX-License-Identifier: Apache-2.0
#include "cache/identity.hpp"

#include "alli/error.hpp"
#include "cache/cursor_secret.hpp"

namespace alli::cache {
namespace {

std::optional<std::string> find_fact(Connection& db, std::string_view name)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = ?1", name)) return std::string(row.text(0));
    return std::nullopt;
}

} // namespace

void claim(Connection& db, const std::string& url)
{
    db.run("INSERT OR IGNORE INTO fact (name, value) VALUES ('url', ?1)", url);
    const auto owner = find_fact(db, "url");
    if (owner != url)
        throw Error(Fault::settings, "give each upstream a mirror.path of its own", "{} belongs to {}, not to {}",
                    db.path(), owner.value_or("nobody"), url);
}

void make_cursor_secret(Connection& db, const std::string& bytes)
{
    db.run("INSERT OR IGNORE INTO fact (name, value) VALUES ('cursor_secret', ?1)", bytes);
}

std::string load_cursor_secret(Reader& db)
{
    const auto secret = find_fact(db, "cursor_secret");
    if (!secret)
        throw Error(Fault::damaged, "restart the program: it is set aside and made anew from upstream",
                    "{} has no cursor secret", db.path());
    return *secret;
}

} // namespace alli::cache
