// SPDX-License-Identifier: Apache-2.0
// What a mirror is made with: whose it is, and the secret that seals the proxy's cursors.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// Writes the upstream's URL into a new file. Throws Error{settings} when the file belongs to another one.
void claim(Connection& db, const std::string& url);

/// Makes the cursor secret of a new mirror.
void make_hmac_key(Connection& db, const std::string& bytes);

/// Whether a file was filled with this key: each keeps a salted hash of it.
enum class FilledWith { unknown, this_key, another };
FilledWith filled_with(Connection& db, std::string_view key);
void put_key_hash(Writer& db, std::string_view key, const std::string& salt);

/// A few conversations that the mirror holds, recent and older: who knows none of them is another project.
std::vector<ConversationId> find_probe_ids(Reader& mirror);

} // namespace alli::cache
