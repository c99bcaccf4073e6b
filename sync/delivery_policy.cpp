// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery_policy.hpp"

#include "sync/retry.hpp"

namespace alli::sync {
namespace {

constexpr std::chrono::milliseconds first_try{500};
constexpr std::chrono::milliseconds longest{15'000}; // a key, or an upstream, is tried at least so often
constexpr std::size_t most_noted = 16;

} // namespace

void DeliveryPolicy::hold_for_a_probe(Steady now)
{
    next_attempt_at_ = now + back_off(random_, tries_++, first_try, longest);
}

bool DeliveryPolicy::note(const Verdict& verdict, const std::string& line, Steady now)
{
    const bool was_away = is_away();
    if (verdict.answered) {
        failed_.clear();
        if (!rejected_) tries_ = 0;
    } else if (failed_.size() < most_noted) {
        failed_.insert(line);
    }
    if (is_away()) hold_for_a_probe(now);
    if (verdict.for_all && verdict.retry_after)
        next_attempt_at_ = std::max(next_attempt_at_, now + *verdict.retry_after);
    return was_away && !is_away();
}

void DeliveryPolicy::note_key(bool accepted, Steady now)
{
    if (accepted && rejected_) tries_ = 0;
    rejected_ = !accepted;
    if (rejected_) hold_for_a_probe(now);
}

} // namespace alli::sync
