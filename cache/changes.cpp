// SPDX-License-Identifier: Apache-2.0
#include "cache/changes.hpp"

#include <array>

namespace alli::cache {

std::string_view name_of(ChangeKind kind) noexcept
{
    constexpr std::array<std::string_view, 4> names{"conversation", "chats", "deleted", "outbox"};
    return names[static_cast<std::size_t>(kind)];
}

void note_change(Writer& db, const ConversationId& id, ChangeKind kind)
{
    db.run("INSERT OR REPLACE INTO change (conversation, kind) VALUES (?1, ?2)", id.value, name_of(kind));
}

std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit)
{
    std::vector<Change> changes;
    for (const Row row :
         db.query("SELECT seq, conversation, kind FROM change WHERE seq > ?1 ORDER BY seq LIMIT ?2", since, limit))
        changes.push_back({row.integer(0), {std::string(row.text(1))}, std::string(row.text(2))});
    return changes;
}

} // namespace alli::cache
