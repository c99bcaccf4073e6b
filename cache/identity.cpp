// SPDX-License-Identifier: Apache-2.0
#include "cache/identity.hpp"

#include "alli/digest.hpp"
#include "alli/error.hpp"
#include "cache/cursor_secret.hpp"

#include <algorithm>

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

FilledWith filled_with(Connection& db, std::string_view key)
{
    const auto salt = find_fact(db, "key_salt"), hash = find_fact(db, "key_hash");
    if (!salt || !hash) return FilledWith::unknown;
    return *hash == bytes_of(seal(*salt, key)) ? FilledWith::this_key : FilledWith::another;
}

void put_key_hash(Writer& db, std::string_view key, const std::string& salt)
{
    const Digest hash = seal(salt, key);
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES ('key_salt', ?1), ('key_hash', ?2)", salt, bytes_of(hash));
}

std::vector<ConversationId> find_witnesses(Reader& mirror)
{
    std::int64_t count = 0;
    for (const Row row : mirror.query("SELECT count(*) FROM conversation")) count = row.integer(0);
    std::vector<ConversationId> witnesses;
    for (const std::int64_t place : {std::int64_t{0}, count / 4, count / 2}) // the oldest may have been removed there
        for (const Row row :
             mirror.query("SELECT id FROM conversation ORDER BY last_chat_at DESC, id DESC LIMIT 1 OFFSET ?1", place))
            if (ConversationId id{std::string(row.text(0))};
                std::find(witnesses.begin(), witnesses.end(), id) == witnesses.end())
                witnesses.push_back(std::move(id));
    return witnesses;
}

} // namespace alli::cache
