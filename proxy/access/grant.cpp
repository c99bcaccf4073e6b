// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/grant.hpp"

#include <algorithm>

namespace alli::proxy {

Grant::Grant(std::shared_ptr<const Grant> opener, Steady now, std::chrono::seconds life, std::chrono::seconds idle)
    : principal_(opener->principal()), opener_(std::move(opener)), ends_(now + life), idle_(idle)
{
    principal_.scope = std::min(principal_.scope, Scope::write);
    use(now);
}

std::optional<Instant> Grant::expires() const noexcept
{
    return opener_ ? opener_->expires() : expires_;
}

bool Grant::is_expired(Instant now) const noexcept
{
    const auto until = expires();
    return until && now >= *until;
}

bool Grant::holds(const Moment& now) const noexcept
{
    if (revoked_ || now.steady >= ends_ || is_expired(now.wall)) return false;
    if (!opener_) return true;
    return now.steady < last_use() + idle_ && opener_->holds(now);
}

Grant::Steady Grant::next_look(const Moment& now, Steady most) const noexcept
{
    const Steady latest = std::min(most, ends_);
    const auto until = expires();
    if (!until) return latest;
    const auto left = std::clamp<Steady::duration>(*until - now.wall, Steady::duration(0), std::chrono::seconds(1));
    return std::min(latest, now.steady + left);
}

} // namespace alli::proxy
