// SPDX-License-Identifier: Apache-2.0
// Request counters for /metrics, by operation, origin and status. Each loop has its own, so that none waits for
// another; a reader on any thread adds them up.
#pragma once

#include "alli/metric.hpp"
#include "proxy/access/guard.hpp"
#include "proxy/request/operation_id.hpp"
#include "proxy/request/response.hpp"

#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::proxy {

/// Of one loop, which alone writes them.
class Meters {
  public:
    struct Cell {
        std::array<Counter, 6> statuses; // 1xx to 5xx at 1 to 5
        Histogram time;
    };

    Meters();

    void count(OperationId operation, const Response& response, std::chrono::nanoseconds took) noexcept;
    /// A request that the parser or the guard refused.
    void count_refusal(int status) noexcept { refusals_[refusal_slot(status)].add(); }
    void count_connection(int change) noexcept { connections_.fetch_add(change, std::memory_order_relaxed); }
    void count_reader(int change) noexcept { readers_.fetch_add(change, std::memory_order_relaxed); } // of the feed
    void count_sign_in(bool admitted) noexcept { sign_ins_[admitted].add(); }

    const Cell& cell(std::size_t operation, std::size_t origin) const
    {
        return cells_[operation * origin_names.size() + origin];
    }
    std::uint64_t refusals(std::size_t slot) const { return refusals_[slot].get(); }
    int connections() const noexcept { return connections_.load(std::memory_order_relaxed); }
    int readers() const noexcept { return readers_.load(std::memory_order_relaxed); }
    std::uint64_t sign_ins(bool admitted) const noexcept { return sign_ins_[admitted].get(); }

    /// The statuses that refusals have; the last stands for any other.
    static constexpr std::array refusal_statuses{400, 401, 403, 405, 408, 413, 414, 417,
                                                 421, 429, 431, 501, 503, 505, 0};

  private:
    static std::size_t refusal_slot(int status) noexcept;

    std::vector<Cell> cells_; // by operation and origin
    std::array<Counter, refusal_statuses.size()> refusals_;
    std::atomic<int> connections_{0}, readers_{0};
    std::array<Counter, 2> sign_ins_;
};

/// Those of all loops.
class RequestMetrics {
  public:
    /// `guard` must outlive it.
    RequestMetrics(std::size_t loops, const Guard& guard);
    Meters& of(std::size_t loop) { return *meters_[loop]; }

    struct Row {
        std::array<std::uint64_t, 6> statuses{};
        Histogram::Reading time;
    };
    /// By operation ("listConversations"; "relay"; "unknown") and origin; only what was ever asked for.
    std::map<std::pair<std::string_view, std::string_view>, Row> requests() const;
    std::map<int, std::uint64_t> refusals() const; // by status; 0: any other
    std::uint64_t wrong_keys() const noexcept;     // empty ones do not count
    int connections() const;
    int readers() const;
    std::uint64_t sign_ins(bool admitted) const;

  private:
    const Guard& guard_;
    std::vector<std::unique_ptr<Meters>> meters_;
};

} // namespace alli::proxy
