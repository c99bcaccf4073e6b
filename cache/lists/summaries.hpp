// SPDX-License-Identifier: Apache-2.0
// Conversations and chats for a person's eye: what `alli-mirror list` and `show` print.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <string>
#include <vector>

namespace alli::cache {

struct Summary {
    std::string id, title, user;
    std::optional<Instant> created_at, last_chat_at;
    std::int64_t chats = 0;
};
std::vector<Summary> list_summaries(Reader& db, int limit, int offset = 0); // newest chat first, those without last
/// Those whose id begins with `prefix`, in the same order.
std::vector<Summary> list_summaries_with_prefix(Reader& db, const std::string& prefix, int limit);
/// Whether upstream has nobody before, between or, where there are fewer than `limit`, behind the listed ones that the
/// mirror does not have. Rows below the coverage are listed too: somebody may be missing among them.
bool is_whole(Reader& db, const std::vector<Summary>& listed, int limit);

struct ReadableChat {
    std::string id, sender, text; // text: words a person reads, Draft.js reduced to its blocks
    std::optional<Instant> sent_at;
    std::string raw = {}; // upstream's JSON
};
std::optional<Summary> find_summary(Reader& db, const ConversationId& id);
/// Oldest first, `limit` of them from the ordinal `first` on.
std::vector<ReadableChat> read_chats(Reader& db, const ConversationId& id, std::int64_t first = 0,
                                     std::int64_t limit = INT64_MAX);

/// The conversations behind the key `after` (0: from the start), in the order of keys, which never changes.
struct Keyed {
    std::int64_t key = 0;
    ConversationId id;
};
std::vector<Keyed> list_keys(Reader& db, std::int64_t after, int limit);

/// Those behind the id `after` (none: from the start), byte by byte: the same order in every mirror.
std::vector<ConversationId> list_ids(Reader& db, const std::optional<ConversationId>& after, int limit);

} // namespace alli::cache
