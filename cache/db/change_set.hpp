// SPDX-License-Identifier: Apache-2.0
// Cache invalidation: which responses built before a commit are stale after it (docs/decisions/0018). A ChangeSet
// collects what a transaction changes, on the committing thread; InvalidationVersions is read by any thread without a
// lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace alli::cache {

/// What the current transaction changed, or tried to. Bounded: beyond a thousand conversations it means all of them.
class ChangeSet {
  public:
    /// A row of that table was written; tables that no response is built from are ignored.
    void row(std::string_view table, std::int64_t rowid);
    /// Responses about this conversation are stale although none of its rows changed.
    void conversation(std::int64_t pk);
    /// Lists are stale.
    void lists() noexcept { lists_ = true; }

    bool any() const noexcept { return lists_ || all_ || !conversations_.empty(); }
    bool any_list() const noexcept { return lists_; }
    void clear() noexcept;

  private:
    friend class InvalidationVersions;
    std::vector<std::int64_t> conversations_;
    bool lists_ = false, all_ = false;
};

/// The number of the last commit that changed a conversation, or anything that lists are built from.
class InvalidationVersions {
  public:
    /// Call before the commit of that number becomes visible: a reader that sees the commit then sees its number here.
    void publish(const ChangeSet& change_set, std::uint64_t number) noexcept;

    /// Never too low; at times too high, because several conversations share a slot.
    std::uint64_t of(std::int64_t pk) const noexcept;
    std::uint64_t of_lists() const noexcept { return lists_.load(std::memory_order_acquire); }

  private:
    static constexpr std::size_t places = 8192; // neighbours have one each
    std::array<std::atomic<std::uint64_t>, places> of_{};
    std::atomic<std::uint64_t> all_{0}, lists_{0};
};

} // namespace alli::cache
