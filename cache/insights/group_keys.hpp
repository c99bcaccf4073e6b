// SPDX-License-Identifier: Apache-2.0
// Which app, user, channel and categories a conversation belongs to, as the numbers that stored figures have for them
// (schema step 0021), looked up as they are needed.
#pragma once

#include "cache/db/writer.hpp"
#include "cache/insights/rollup.hpp"

#include <unordered_map>

namespace alli::cache {

class GroupKeys {
  public:
    /// A group without a number gets one that only this object knows, negative.
    explicit GroupKeys(Reader& db) : db_(db) {}
    /// Or one for good.
    explicit GroupKeys(Writer& db) : db_(db), writer_(&db) {}

    /// Valid as long as this object.
    const GroupNumbers& of(std::int64_t conversation);
    std::int64_t number_of(InsightGroup group, std::string_view key);
    /// The key of a group; empty: it is none any more.
    std::string key_of(std::int64_t number) const;

  private:
    std::int64_t make_number(InsightGroup group, std::string_view key);

    Reader& db_;
    Writer* writer_ = nullptr;
    std::unordered_map<std::string, std::int64_t> numbers_; // by group and key
    std::vector<std::string> own_;                          // keys of -1, -2 ...
    std::unordered_map<std::int64_t, GroupNumbers> members_;
};

} // namespace alli::cache
