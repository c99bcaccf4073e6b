// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/group_names.hpp"

#include "cache/search/known_values.hpp"

namespace alli::cache {

GroupNames::GroupNames(Reader& db, Visibility visible) : db_(db), visible_(std::move(visible))
{
    for (KnownApp& app : known_apps(db)) apps_.emplace(std::move(app.id), std::move(app.name));
    for (const Row row : db.query("SELECT id, name FROM known_category")) categories_.emplace(row.text(0), row.text(1));
}

std::string GroupNames::name_of(InsightGroup group, const std::string& key) const
{
    const auto in = [&](const std::map<std::string, std::string>& names) {
        const auto found = names.find(key);
        return found == names.end() ? std::string() : found->second;
    };
    if (group == InsightGroup::app) return in(apps_);
    if (group == InsightGroup::category) return in(categories_);
    if (group != InsightGroup::user) return {};
    return db_
        .one<std::string>("SELECT user_name FROM conversation WHERE user_id = ?1 AND user_name <> ''"
                          " AND (?2 = '' OR app_id = ?2) LIMIT 1",
                          key, visible_.app)
        .value_or("");
}

} // namespace alli::cache
