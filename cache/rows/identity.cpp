// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/identity.hpp"

#include "alli/digest.hpp"
#include "alli/error.hpp"
#include "cache/db/meta.hpp"
#include "cache/rows/hmac_key.hpp"

#include <algorithm>

namespace alli::cache {
void claim(Connection& db, const std::string& url)
{
    put_meta_once(db, "url", url);
    const auto owner = find_meta<std::string>(db, "url");
    if (owner != url)
        throw Error(Fault::settings, "give each upstream a mirror.path of its own", "{} belongs to {}, not to {}",
                    db.path(), owner.value_or("nobody"), url);
}

void make_hmac_key(Connection& db, const std::string& bytes)
{
    put_meta_once(db, "cursor_secret", bytes);
}

std::string load_hmac_key(Reader& db)
{
    const auto secret = find_meta<std::string>(db, "cursor_secret");
    if (!secret)
        throw Error(Fault::damaged, "restart the program: it is set aside and made anew from upstream",
                    "{} has no cursor secret", db.path());
    return *secret;
}

FilledWith filled_with(Connection& db, std::string_view key)
{
    const auto salt = find_meta<std::string>(db, "key_salt"), hash = find_meta<std::string>(db, "key_hash");
    if (!salt || !hash) return FilledWith::unknown;
    return *hash == bytes_of(seal(*salt, key)) ? FilledWith::this_key : FilledWith::another;
}

void put_key_hash(Writer& db, std::string_view key, const std::string& salt)
{
    const Digest hash = seal(salt, key);
    put_meta(db, "key_salt", salt);
    put_meta(db, "key_hash", bytes_of(hash));
}

std::vector<ConversationId> find_probe_ids(Reader& mirror)
{
    const auto count = mirror.require<std::int64_t>("SELECT count(*) FROM conversation");
    std::vector<ConversationId> witnesses;
    for (const std::int64_t place : {std::int64_t{0}, count / 4, count / 2}) { // the oldest may have been removed there
        auto id = mirror.one<ConversationId>(
            "SELECT id FROM conversation ORDER BY last_chat_at DESC, id DESC LIMIT 1 OFFSET ?1", place);
        if (id && std::find(witnesses.begin(), witnesses.end(), *id) == witnesses.end())
            witnesses.push_back(std::move(*id));
    }
    return witnesses;
}

} // namespace alli::cache
