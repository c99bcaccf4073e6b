// SPDX-License-Identifier: Apache-2.0
// Answers put together from the mirror, kept whole until a commit changes what they tell (docs/decisions/0018): a
// request that was answered lately costs one look into a table. One a loop, so without a lock; of bounded size, the
// least used goes.
#pragma once

#include "alli/instant.hpp"
#include "cache/touched.hpp"

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
};
/// `part_at`: when a part of it was verified that the mirror's polls do not verify.
Answer make_answer(std::string body, std::optional<Instant> mirror_verified_at, std::optional<Instant> part_at = {});

class Answers {
  public:
    explicit Answers(std::size_t bytes) : most_(bytes) {}

    /// What answered `target`, as far as nothing changed it; verified when the mirror was. Valid until the next put().
    const Answer* find(std::string_view target, const cache::Latest& latest, std::optional<Instant> mirror_verified_at);
    /// `commits` as of before the snapshot was taken.
    void put(std::string target, std::uint64_t commits, Answer answer);

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

    std::size_t most_;
    std::size_t bytes_ = 0;
    std::list<Kept> kept_; // the most lately used first
    std::unordered_map<std::string_view, Place> places_;
};

} // namespace alli::proxy
