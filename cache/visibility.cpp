// SPDX-License-Identifier: Apache-2.0
#include "cache/visibility.hpp"

#include "alli/conversation.hpp"
#include "cache/overlay.hpp"
#include "cache/overlay_rows.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

bool matches(const Conversation& conversation, const Visibility& seen)
{
    return (seen.app.empty() || conversation.app_id == seen.app) &&
           (seen.user.empty() || conversation.user_id == seen.user);
}

// Upstream's copy of a row that a waiting deletion took out.
bool was_visible(Reader& db, const ConversationId& id, const Visibility& seen)
{
    auto raw = find_upstream_raw(db, id, "");
    return raw && matches(reread_conversation(db, id, std::move(*raw)), seen);
}

// Each is led by the column that it compares: these indexes cover both columns and the key.
Rows query_visible(Reader& db, std::string_view columns, const Visibility& seen)
{
    if (seen.user.empty())
        return db.query(
            fmt::format("SELECT {} FROM conversation INDEXED BY conversation_by_app WHERE app_id = ?1", columns),
            seen.app);
    return db.query(fmt::format("SELECT {} FROM conversation INDEXED BY conversation_by_user"
                                " WHERE user_id = ?1 AND (?2 = '' OR app_id = ?2)",
                                columns),
                    seen.user, seen.app);
}

} // namespace

bool is_visible(Reader& db, const ConversationId& id, const Visibility& seen)
{
    Rows rows = db.query("SELECT 1 FROM conversation WHERE id = ?1 AND (?2 = '' OR app_id = ?2)"
                         " AND (?3 = '' OR user_id = ?3)",
                         id.value, seen.app, seen.user);
    return rows.step();
}

bool is_visible_or_hidden(Reader& db, const ConversationId& id, const Visibility& seen)
{
    return is_visible(db, id, seen) || (is_hidden(db, id) && was_visible(db, id, seen));
}

std::vector<std::int64_t> visible_keys(Reader& db, const Visibility& seen)
{
    std::vector<std::int64_t> keys;
    for (const Row row : query_visible(db, "pk", seen)) keys.push_back(row.integer(0));
    return keys;
}

VisibleTotals count_visible(Reader& db, const Visibility& seen)
{
    VisibleTotals totals;
    for (const Row row : query_visible(db, "count(*), coalesce(sum(held), 0)", seen))
        totals = {row.integer(0), row.integer(1)};
    return totals;
}

std::string binding_of(const Visibility& seen)
{
    if (seen.is_whole()) return {};
    return fmt::format("seen {}:{} {}:{}", seen.app.size(), seen.app, seen.user.size(), seen.user);
}

} // namespace alli::cache
