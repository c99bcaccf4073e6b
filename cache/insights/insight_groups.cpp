// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insight_groups.hpp"

#include "cache/search/known_values.hpp"

namespace alli::cache {

InsightGroups::InsightGroups(Reader& db, const InsightQuery& query) : visible_(query.visible)
{
    struct Source {
        InsightGroup group;
        std::string_view sql;
    };
    for (const Source& source :
         {Source{InsightGroup::app, "SELECT pk, app_id FROM conversation WHERE app_id IS NOT NULL"},
          Source{InsightGroup::category, "SELECT conversation, name FROM category"},
          Source{InsightGroup::user, "SELECT pk, user_id FROM conversation WHERE user_id IS NOT NULL"},
          Source{InsightGroup::channel, "SELECT conversation, channel FROM conversation_fact WHERE channel <> ''"}})
        if (!query.by || *query.by == source.group) load(db, source.group, source.sql);
    for (KnownApp& app : known_apps(db)) apps_.emplace(std::move(app.id), std::move(app.name));
    for (const Row row : db.query("SELECT id, name FROM known_category")) categories_.emplace(row.text(0), row.text(1));
}

void InsightGroups::load(Reader& db, InsightGroup group, std::string_view sql)
{
    for (const Row row : db.query(sql)) members_[row.integer(0)].push_back({group, number_of(group, row.text(1))});
}

std::size_t InsightGroups::number_of(InsightGroup group, std::string_view key)
{
    Keys& known = keys_of(group);
    const auto [found, fresh] = known.numbers.try_emplace(std::string(key), known.keys.size());
    if (fresh) known.keys.emplace_back(key);
    return found->second;
}

const std::string& InsightGroups::key_of(InsightGroup group, std::size_t number) const
{
    return keys_[static_cast<std::size_t>(group)].keys[number];
}

std::string InsightGroups::name_of(Reader& db, InsightGroup group, std::size_t number) const
{
    const std::string& key = key_of(group, number);
    const auto in = [&](const std::map<std::string, std::string>& names) {
        const auto found = names.find(key);
        return found == names.end() ? std::string() : found->second;
    };
    if (group == InsightGroup::app) return in(apps_);
    if (group == InsightGroup::category) return in(categories_);
    if (group != InsightGroup::user) return {};
    return db
        .one<std::string>("SELECT user_name FROM conversation WHERE user_id = ?1 AND user_name <> ''"
                          " AND (?2 = '' OR app_id = ?2) LIMIT 1",
                          key, visible_.app)
        .value_or("");
}

} // namespace alli::cache
