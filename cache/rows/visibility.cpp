// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/visibility.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

// Each is led by the column that it compares: these indexes cover both columns and the key.
template <class T>
std::vector<T> load_visible(Reader& db, std::string_view columns, const Visibility& seen)
{
    if (seen.user.empty())
        return db.all<T>(
            fmt::format("SELECT {} FROM conversation INDEXED BY conversation_by_app WHERE app_id = ?1", columns),
            seen.app);
    return db.all<T>(fmt::format("SELECT {} FROM conversation INDEXED BY conversation_by_user"
                                 " WHERE user_id = ?1 AND (?2 = '' OR app_id = ?2)",
                                 columns),
                     seen.user, seen.app);
}

} // namespace

bool is_visible(Reader& db, const ConversationId& id, const Visibility& seen)
{
    return db.exists("SELECT 1 FROM conversation WHERE id = ?1 AND (?2 = '' OR app_id = ?2)"
                     " AND (?3 = '' OR user_id = ?3)",
                     id.value, seen.app, seen.user);
}

std::vector<std::int64_t> visible_keys(Reader& db, const Visibility& seen)
{
    return load_visible<std::int64_t>(db, "pk", seen);
}

VisibleTotals count_visible(Reader& db, const Visibility& seen)
{
    using Counts = std::tuple<std::int64_t, std::int64_t>;
    const auto [conversations, chats] = load_visible<Counts>(db, "count(*), coalesce(sum(held), 0)", seen).front();
    return {conversations, chats};
}

std::string binding_of(const Visibility& seen)
{
    if (seen.is_whole()) return {};
    return fmt::format("seen {}:{} {}:{}", seen.app.size(), seen.app, seen.user.size(), seen.user);
}

} // namespace alli::cache
