// SPDX-License-Identifier: Apache-2.0
// What people call the groups of insights.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/insights/insight_types.hpp"

#include <map>

namespace alli::cache {

class GroupNames {
  public:
    /// `visible`: whose names are told.
    GroupNames(Reader& db, Visibility visible);

    /// Empty where that is the key.
    std::string name_of(InsightGroup group, const std::string& key) const;

  private:
    Reader& db_;
    Visibility visible_;
    std::map<std::string, std::string> apps_, categories_;
};

} // namespace alli::cache
