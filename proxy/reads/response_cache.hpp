// SPDX-License-Identifier: Apache-2.0
// The response cache: bodies made from the mirror, kept until a commit changes a row that they show
// (docs/decisions/0018). A hit costs one look into a hash table. One for each loop, without a lock; bounded together,
// least recently used first out.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "cache/db/change_set.hpp"
#include "http/response.hpp"
#include "proxy/reads/known_envelopes.hpp"
#include "proxy/reads/shared_head.hpp"
#include "proxy/request/operation_id.hpp"

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

/// A body, its tag, and when the mirror it came from was last verified, taken in one snapshot.
struct CachedResponse {
    http::Body body; // shared
    std::string tag; // with its quotes
    std::optional<Instant> verified_at;
    OperationId operation = OperationId::unknown;
    std::optional<ConversationId> conversation = {}; // it consists of this conversation's rows alone; none: a list
    std::optional<std::int64_t> row = {};            // that conversation's
    bool unreadable = false;                         // the engine could not read all of that conversation
    bool growing = false;                            // its last message was not complete, a short time ago
    mutable SharedHeads heads = {};
};
/// `part_at`: when a part that polls do not verify was verified.
CachedResponse make_cached_response(std::string body, std::optional<Instant> mirror_verified_at,
                                    std::optional<Instant> part_at = {});

/// The memory of all loops' response caches together. A loop may use more than its share while the others do not need
/// theirs. Any thread.
class CacheBudget {
  public:
    explicit CacheBudget(std::size_t bytes, int loops = 1)
        : most_(bytes), share_(bytes / static_cast<std::size_t>(std::max(loops, 1)))
    {}

    std::size_t most() const noexcept { return most_; }
    std::size_t share() const noexcept { return share_; }
    std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    bool take(std::size_t bytes) noexcept; // false: there is not enough left
    void give_back(std::size_t bytes) noexcept { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    /// A loop lacks part of its share: loops above theirs are to trim. Counted, so that each notices.
    void request_trim() noexcept { trim_requests_.fetch_add(1, std::memory_order_relaxed); }
    std::uint64_t trim_requests() const noexcept { return trim_requests_.load(std::memory_order_relaxed); }

  private:
    const std::size_t most_, share_;
    std::atomic<std::size_t> used_{0};
    std::atomic<std::uint64_t> trim_requests_{0};
};

class ResponseCache {
  public:
    explicit ResponseCache(CacheBudget& budget) : budget_(budget) {}
    ~ResponseCache() { budget_.give_back(bytes_); }
    ResponseCache(const ResponseCache&) = delete;
    ResponseCache& operator=(const ResponseCache&) = delete;

    /// The response for `target`, unless a commit changed it; verified when the mirror was. Valid until the next put().
    const CachedResponse* find(std::string_view target, const cache::InvalidationVersions& latest,
                               std::optional<Instant> mirror_verified_at);
    /// `commits`: read before the snapshot was taken.
    void put(std::string target, std::uint64_t commits, CachedResponse answer);

    /// Periodically: drops what exceeds the share if another loop lacks its own; `all`: in any case.
    void trim_to_share(bool all = false);

    std::size_t bytes() const noexcept { return bytes_; }

    /// When the mirror was last verified, as read after so many commits.
    struct Verified {
        std::optional<std::uint64_t> commits;
        std::optional<Instant> at;
    };
    Verified verified;
    KnownEnvelopes envelopes;

  private:
    struct Item {
        std::string target;
        std::uint64_t commits;
        CachedResponse answer;
        std::size_t size() const noexcept;
    };
    using Position = std::list<Item>::iterator;
    static constexpr std::size_t overhead = 256; // of its nodes, about

    void move_to_file(CachedResponse& answer);
    void erase(Position position);
    bool make_room(std::size_t size);

    CacheBudget& budget_;
    http::MemoryFile file_;        // of large bodies that were asked for again
    std::uint64_t trims_seen_ = 0; // calls
    std::size_t bytes_ = 0;
    std::list<Item> items_; // the most lately used first
    std::unordered_map<std::string_view, Position> index_;
};

} // namespace alli::proxy
