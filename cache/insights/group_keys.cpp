// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/group_keys.hpp"

namespace alli::cache {

const GroupNumbers& GroupKeys::of(std::int64_t conversation)
{
    const auto [place, is_new] = members_.try_emplace(conversation);
    GroupNumbers& groups = place->second;
    if (!is_new) return groups;
    const auto add = [&](InsightGroup group, std::string_view key) {
        groups.shared.push_back({group, number_of(group, key)});
    };
    for (const Row row : db_.query("SELECT app_id, user_id, (SELECT channel FROM conversation_fact"
                                   " WHERE conversation = ?1) FROM conversation WHERE pk = ?1",
                                   conversation)) {
        if (!row.is_null(0)) add(InsightGroup::app, row.text(0));
        if (!row.is_null(1)) groups.user = number_of(InsightGroup::user, row.text(1));
        if (!row.text(2).empty()) add(InsightGroup::channel, row.text(2));
    }
    for (const Row row : db_.query("SELECT name FROM category WHERE conversation = ?1 ORDER BY name", conversation))
        add(InsightGroup::category, row.text(0));
    return groups;
}

std::int64_t GroupKeys::number_of(InsightGroup group, std::string_view key)
{
    std::string both(1, static_cast<char>(group));
    both += key;
    const auto [place, is_new] = numbers_.try_emplace(std::move(both));
    if (!is_new) return place->second;
    const auto known = db_.one<std::int64_t>("SELECT number FROM insight_key WHERE of_group = ?1 AND key = ?2",
                                             static_cast<std::int64_t>(group), key);
    return place->second = known ? *known : make_number(group, key);
}

std::int64_t GroupKeys::make_number(InsightGroup group, std::string_view key)
{
    if (writer_ == nullptr) {
        own_.emplace_back(key);
        return -std::ssize(own_);
    }
    writer_->run("INSERT INTO insight_key (of_group, key) VALUES (?1, ?2)", static_cast<std::int64_t>(group), key);
    return writer_->last_rowid();
}

std::string GroupKeys::key_of(std::int64_t number) const
{
    if (number < 0) return own_.at(static_cast<std::size_t>(-number - 1));
    return db_.one<std::string>("SELECT key FROM insight_key WHERE number = ?1", number).value_or("");
}

} // namespace alli::cache
