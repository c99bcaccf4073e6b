// SPDX-License-Identifier: Apache-2.0
// Answers put together from the mirror, kept whole until a commit changes what they tell (docs/decisions/0018): a
// request that was answered lately costs one look into a table. One a loop, so without a lock; of bounded size
// together, the least used goes.
#pragma once

#include "alli/instant.hpp"
#include "cache/touched.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace alli::proxy {

struct Route;

/// A body, its tag, and when the mirror it came from was last verified, taken in one snapshot.
struct Answer {
    std::shared_ptr<const std::string> body;
    std::string tag; // with its quotes
    std::optional<Instant> verified_at;
    const Route* route = nullptr;        // that it answers
    std::optional<std::int64_t> of = {}; // the row of the conversation that it tells of alone; none: a list
    bool doubted = false;                // the engine could not read all of that conversation
    bool growing = false;                // its last message was not complete, a short time ago
};
/// `part_at`: when a part of it was verified that the mirror's polls do not verify.
Answer make_answer(std::string body, std::optional<Instant> mirror_verified_at, std::optional<Instant> part_at = {});

/// What the answers of all loops may take together. A loop may have more than its share while the others leave it. Any
/// thread.
class AnswerBudget {
  public:
    explicit AnswerBudget(std::size_t bytes, int loops = 1)
        : most_(bytes), share_(bytes / static_cast<std::size_t>(std::max(loops, 1)))
    {}

    std::size_t most() const noexcept { return most_; }
    std::size_t share() const noexcept { return share_; }
    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    bool take(std::size_t bytes) noexcept; // false: there is not so much left
    void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    /// A loop lacks part of its share: whoever has more than his gives that up. `calls` counts how often that was.
    void call_in() noexcept { calls_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t calls() const noexcept { return calls_.load(std::memory_order_relaxed); }

  private:
    const std::size_t most_, share_;
    std::atomic<std::size_t> used_{0};
    std::atomic<std::uint64_t> calls_{0};
};

class Answers {
  public:
    explicit Answers(AnswerBudget& budget) : budget_(budget) {}
    ~Answers() { budget_.give_back(bytes_); }
    Answers(const Answers&) = delete;
    Answers& operator=(const Answers&) = delete;

    /// What answered `target`, as far as nothing changed it; verified when the mirror was. Valid until the next put().
    const Answer* find(std::string_view target, const cache::Latest& latest, std::optional<Instant> mirror_verified_at);
    /// `commits` as of before the snapshot was taken.
    void put(std::string target, std::uint64_t commits, Answer answer);

    /// Now and then: gives up what is beyond its share where others lack theirs. `all`: that in any case.
    void heed_others(bool all = false);

    std::size_t bytes() const noexcept { return bytes_; }

    /// When the mirror was last verified, as read when it had seen so many commits.
    struct Verified {
        std::optional<std::uint64_t> commits;
        std::optional<Instant> at;
    };
    Verified verified;

  private:
    struct Kept {
        std::string target;
        std::uint64_t commits;
        Answer answer;
        std::size_t size() const noexcept { return target.size() + answer.body->size() + overhead; }
    };
    using Place = std::list<Kept>::iterator;
    static constexpr std::size_t overhead = 256; // of its nodes, about

    void forget(Place place);
    bool make_room(std::size_t size);

    AnswerBudget& budget_;
    std::uint64_t heeded_ = 0; // calls
    std::size_t bytes_ = 0;
    std::list<Kept> kept_; // the most lately used first
    std::unordered_map<std::string_view, Place> places_;
};

} // namespace alli::proxy
