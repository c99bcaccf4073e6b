// SPDX-License-Identifier: Apache-2.0
// The words of questions that were answered badly beside those of all questions: of a sample of either, the same for
// the same rows. A word is what ICU takes for one, in Japanese by its dictionary.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/insights/insight_types.hpp"

#include <queue>

namespace alli::cache {

/// Keeps some of the keys that it is given, each as likely as the other.
class KeySample {
  public:
    /// False: it is not kept, nor would any be that comes behind it in the order of keys().
    bool add(std::int64_t key);
    /// In an order of their own, the same for the same keys.
    std::vector<std::int64_t> keys() const;

  private:
    static constexpr std::size_t most = 250;
    std::priority_queue<std::pair<std::uint64_t, std::int64_t>> kept_; // by hash, the greatest first
};

/// The most telling words first, at most 30. `bad` and `all` are places of chats.
std::vector<InsightWord> count_words(Reader& db, const std::vector<std::int64_t>& bad,
                                     const std::vector<std::int64_t>& all);

} // namespace alli::cache
