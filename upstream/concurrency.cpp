// SPDX-License-Identifier: Apache-2.0
#include "upstream/concurrency.hpp"

#include <algorithm>
#include <bit>

namespace alli::upstream {
namespace {

constexpr double slack_ms = 50;      // a difference that is no sign of anything
constexpr double falls = 0.25;       // how fast the usual time follows quicker answers ...
constexpr double rises = 0.01;       // ... and slower ones: it stays near the quick ones
constexpr double smoothing = 0.1;    // of the strain: some ten answers
constexpr double longest_ratio = 10; // one answer that took minutes is one answer
constexpr double strained = 2;
constexpr double after_strain = 0.9, after_pushback = 0.5;

} // namespace

Concurrency::Concurrency(int most) : most_(std::max(1, most)), limit_(most_) {}

double& Concurrency::usual(const Outcome& outcome)
{
    const auto size = std::min(static_cast<std::size_t>(std::bit_width(outcome.bytes)) / 2, sizes - 1);
    return usual_[static_cast<std::size_t>(outcome.call) * sizes + size];
}

// How long it took against the usual; 1 is as ever. Moves the usual time a little.
double Concurrency::measure(const Outcome& outcome)
{
    const double took = std::chrono::duration<double, std::milli>(outcome.elapsed).count();
    double& known = usual(outcome);
    if (known <= 0) known = took;
    const double ratio = (took + slack_ms) / (known + slack_ms);
    known += (took - known) * (took < known ? falls : rises);
    return std::min(ratio, longest_ratio);
}

void Concurrency::answered(const Outcome& outcome, bool full, Clock::Steady started, Clock::Steady now)
{
    if (outcome.success) strain_ += smoothing * (measure(outcome) - strain_);
    if (strain_ >= strained) {
        if (started >= last_cut_) cut(after_strain, now);
        return;
    }
    if (full) limit_ = std::min(most_, limit_ + 1 / limit_);
}

bool Concurrency::pushed_back(Clock::Steady started, Clock::Steady now)
{
    if (started < last_cut_) return false;
    cut(after_pushback, now);
    return true;
}

void Concurrency::cut(double factor, Clock::Steady now)
{
    limit_ = std::max(1.0, limit_ * factor);
    last_cut_ = now;
}

} // namespace alli::upstream
