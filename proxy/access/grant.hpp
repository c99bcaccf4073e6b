// SPDX-License-Identifier: Apache-2.0
// An admission: as which principal, and whether it still holds. The guard makes one for each key and token,
// BrowserSessions one for each session; requests, event streams and long polls keep theirs. Any thread.
#pragma once

#include "alli/clock.hpp"
#include "proxy/access/principal.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

namespace alli::proxy {

/// Both clocks: tokens expire by the calendar, sessions by how long they have lasted.
struct Moment {
    Moment(Clock::Steady when, Instant calendar = {}) : steady(when), wall(calendar) {}
    static Moment now(const Clock& clock) { return {std::chrono::steady_clock::now(), clock.now()}; }

    Clock::Steady steady;
    Instant wall;
};

class Grant {
  public:
    using Steady = Clock::Steady;

    /// Of a key or a token; `expires`: none: when it is revoked.
    explicit Grant(Principal principal, std::optional<Instant> expires = std::nullopt)
        : principal_(std::move(principal)), expires_(expires)
    {}
    /// Of a session that `opener` opened: at most write, of the same part, for as long as that one holds, and no
    /// longer than `life` in all and `idle` without being used.
    Grant(std::shared_ptr<const Grant> opener, Steady now, std::chrono::seconds life, std::chrono::seconds idle);

    const Principal& principal() const noexcept { return principal_; }
    bool is_session() const noexcept { return opener_ != nullptr; }
    const Grant* opener() const noexcept { return opener_.get(); } // of a session
    std::optional<Instant> expires() const noexcept;               // its own or its opener's
    bool is_expired(Instant now) const noexcept;                   // by the calendar

    /// Not revoked, expired or idle for too long, nor is what opened it.
    bool holds(const Moment& now) const noexcept;
    void use(Steady now) const noexcept { used_.store(now.time_since_epoch().count(), std::memory_order_relaxed); }
    Steady last_use() const noexcept { return Steady(Steady::duration(used_.load(std::memory_order_relaxed))); }
    /// From now on it does not hold. Whoever waits has to be woken by the caller.
    void revoke() const noexcept { revoked_ = true; }

    /// For who waits until `most` at the longest: when to ask again whether it holds. Where the calendar ends it, at
    /// least once a second: that clock may jump.
    Steady next_look(const Moment& now, Steady most) const noexcept;

  private:
    Principal principal_;
    std::shared_ptr<const Grant> opener_;
    std::optional<Instant> expires_;
    Steady ends_ = Steady::max();
    std::chrono::seconds idle_{0}; // of a session
    mutable std::atomic<Steady::rep> used_{0};
    mutable std::atomic<bool> revoked_{false};
};

/// The same principal, for as long as the grant lives.
inline std::shared_ptr<const Principal> principal_of(const std::shared_ptr<const Grant>& grant)
{
    return {grant, &grant->principal()};
}

} // namespace alli::proxy
