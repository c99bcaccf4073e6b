// SPDX-License-Identifier: Apache-2.0
// Which app, user, channel and categories each conversation belongs to, as numbers: loaded once for a count.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/insights/insight_types.hpp"

#include <array>
#include <functional>
#include <map>
#include <unordered_map>

namespace alli::cache {

class InsightGroups {
  public:
    /// Loads the groups that are asked for.
    InsightGroups(Reader& db, const InsightQuery& query);

    /// Calls `take` with each group that the conversation is in and its number there; not for days.
    template <class Take>
    void each(std::int64_t conversation, const Take& take) const
    {
        const auto found = members_.find(conversation);
        if (found == members_.end()) return;
        for (const Member& member : found->second) take(member.group, member.number);
    }

    const std::string& key_of(InsightGroup group, std::size_t number) const;
    /// What people call it; empty where that is the key.
    std::string name_of(Reader& db, InsightGroup group, std::size_t number) const;

  private:
    struct Member {
        InsightGroup group;
        std::size_t number;
    };
    void load(Reader& db, InsightGroup group, std::string_view sql);
    std::size_t number_of(InsightGroup group, std::string_view key);

    struct Keys {
        std::vector<std::string> keys;
        std::unordered_map<std::string, std::size_t> numbers;
    };
    Keys& keys_of(InsightGroup group) { return keys_[static_cast<std::size_t>(group)]; }

    Visibility visible_; // whose names are told
    std::array<Keys, 5> keys_;
    std::unordered_map<std::int64_t, std::vector<Member>> members_;
    std::map<std::string, std::string> apps_, categories_; // their names
};

} // namespace alli::cache
