// SPDX-License-Identifier: Apache-2.0
// Which conversations figures are asked of, decided by what a rollup has of each: the numbers of its groups, so that
// nothing is looked up, or its own where a user is meant by words of the name. The values mean what they do in a search
// (cache/search/filters.hpp).
#pragma once

#include "cache/insights/group_keys.hpp"

#include <unordered_set>

namespace alli::cache {

class InsightFilter {
  public:
    /// `keys` is to be the one that the rollups are counted with.
    InsightFilter(Reader& db, GroupKeys& keys, const InsightQuery& query);

    bool takes_shared(std::span<const Membership> groups) const;
    bool takes(const RollupOwner& row) const;

  private:
    using Numbers = std::unordered_set<std::int64_t>;

    /// Users as their numbers, and conversations of users by name, ascending.
    struct Users {
        Numbers numbers;
        std::vector<std::int64_t> conversations;
    };
    static Users find_users(Reader& db, GroupKeys& keys, const InsightQuery& query);

    std::vector<Numbers> shared_; // of each a conversation must be in one
    std::optional<Users> users_;
    std::optional<std::int64_t> visible_user_;
};

} // namespace alli::cache
