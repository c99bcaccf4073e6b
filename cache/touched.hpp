// SPDX-License-Identifier: Apache-2.0
// Which of the answers that were put together before a commit are out of date after it (docs/decisions/0018). Touched
// gathers what a transaction changes, on the committing thread; Latest is read by everybody, without a lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace alli::cache {

/// What the transaction under way changed, or tried to. Bounded: beyond a thousand conversations it is all of them.
class Touched {
  public:
    /// A row of that table was written: of those that answers are made of, it counts.
    void row(std::string_view table, std::int64_t rowid);
    /// What one conversation tells, where no row of its own says so.
    void conversation(std::int64_t pk);
    /// Something that lists are told from.
    void lists() noexcept { lists_ = true; }

    bool any() const noexcept { return lists_ || all_ || !conversations_.empty(); }
    bool any_list() const noexcept { return lists_; }
    void clear() noexcept;

  private:
    friend class Latest;
    std::vector<std::int64_t> conversations_;
    bool lists_ = false, all_ = false;
};

/// The number of the last commit that changed a conversation, or anything that lists are told from.
class Latest {
  public:
    /// Before the commit of that number can be seen: whoever sees it finds it here.
    void publish(const Touched& touched, std::uint64_t number) noexcept;

    /// Never too low. Too high at times, for several conversations share a place.
    std::uint64_t of(std::int64_t pk) const noexcept;
    std::uint64_t of_lists() const noexcept { return lists_.load(std::memory_order_acquire); }

  private:
    static constexpr std::size_t places = 8192; // neighbours have one each
    std::array<std::atomic<std::uint64_t>, places> of_{};
    std::atomic<std::uint64_t> all_{0}, lists_{0};
};

} // namespace alli::cache
