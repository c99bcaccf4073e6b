// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/delivery_policy.hpp"

#include "alli/back_off.hpp"

namespace alli::sync {
namespace {

// A key, or an upstream, is tried at least every 15 seconds.
constexpr BackOff probes{std::chrono::milliseconds(500), std::chrono::seconds(15)};
constexpr std::size_t most_noted = 16;

} // namespace

void DeliveryPolicy::hold_for_a_probe(Steady now)
{
    probe_at_ = now + probes.draw(random_, tries_++);
}

bool DeliveryPolicy::note(const Verdict& verdict, const std::string& fifo, Steady now)
{
    const bool was_away = is_away();
    if (verdict.answered) {
        failed_.clear();
        if (!rejected_) tries_ = 0;
    } else if (failed_.size() < most_noted) {
        failed_.insert(fifo);
    }
    if (is_away()) hold_for_a_probe(now);
    if (verdict.for_all && verdict.retry_after) asked_until_ = std::max(asked_until_, now + *verdict.retry_after);
    return was_away && !is_away();
}

void DeliveryPolicy::note_key(bool accepted, Steady now)
{
    if (accepted && rejected_) tries_ = 0;
    rejected_ = !accepted;
    if (rejected_) hold_for_a_probe(now);
}

} // namespace alli::sync
