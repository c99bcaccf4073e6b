// SPDX-License-Identifier: Apache-2.0
#include "upstream/breaker.hpp"

#include "alli/back_off.hpp"

#include <algorithm>

namespace alli::upstream {
namespace {

constexpr auto least_pause = std::chrono::seconds(1); // between two probes, whoever would like one
constexpr int as_long_as_it_took = 2;

} // namespace

Breaker::Pass Breaker::ask(Clock::Steady now, Asker asker)
{
    if (state_ == State::closed) return Pass::go;
    if (state_ == State::half_open) return Pass::refused;
    const auto due = asker == Asker::app && !woken_ ? app_due_ : due_;
    if (asker != Asker::delivery && now < due) return Pass::refused;
    state_ = State::half_open;
    probed_at_ = now;
    woken_ = false;
    return Pass::probe;
}

void Breaker::answered()
{
    state_ = State::closed;
    in_a_row_ = rounds_ = 0;
    woken_ = false;
}

void Breaker::failed(Clock::Steady now, Fault fault, std::string words, bool probe)
{
    fault_ = fault;
    words_ = std::move(words);
    const auto took = probe ? now - probed_at_ : Clock::Steady::duration(0);
    if (state_ == State::closed || probe) failed_at_ = now;
    if (state_ == State::closed || probe)
        app_due_ = now + std::max<Clock::Steady::duration>(least_pause, took * as_long_as_it_took);
    if (probe) return open(now, ++rounds_);
    if (state_ == State::closed && ++in_a_row_ >= options_.failures) open(now, rounds_ = 0);
}

// Full jitter between the shortest pause and one that doubles, so that many mirrors do not come back at once.
void Breaker::open(Clock::Steady now, int round)
{
    const BackOff pauses{options_.shortest, options_.longest};
    const auto ceiling = std::max(options_.shortest, pauses.after(round + 1));
    const auto spread = static_cast<std::uint64_t>((ceiling - options_.shortest).count());
    due_ = now + options_.shortest + std::chrono::nanoseconds(random_.below(spread + 1));
    state_ = State::open;
    in_a_row_ = 0;
    woken_ = false;
    ++times_opened_;
}

void Breaker::probe_lost(Clock::Steady now)
{
    if (state_ != State::half_open) return;
    state_ = State::open;
    due_ = now;
}

void Breaker::wake(Clock::Steady now)
{
    if (state_ != State::open) return;
    due_ = std::min(due_, now);
    woken_ = true;
}

void Breaker::hasten(Clock::Steady now)
{
    if (state_ != State::open) return;
    due_ = std::min(due_, std::max(now, failed_at_ + least_pause));
    app_due_ = std::min(app_due_, due_);
}

Error Breaker::refusal(Clock::Steady now) const
{
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(due_ - now, Clock::Steady::duration(0)));
    if (state_ == State::half_open || seconds.count() == 0)
        return Error(fault_, "it goes on by itself as soon as upstream answers", "{} (it is being tried again)",
                     words_);
    return Error(fault_, "it is tried again by itself; ask for a sync to try at once",
                 "{} (it failed several times in a row and is tried again in {} s)", words_, seconds.count());
}

} // namespace alli::upstream
