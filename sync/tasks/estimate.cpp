// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/estimate.hpp"

#include "cache/conversations.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

constexpr int pages_worth_an_estimate = 100;
constexpr int pages_between_looks = 10;

std::string date_of(Instant when)
{
    return to_rfc3339(when).substr(0, 10);
}

} // namespace

Task<upstream::Listed> list_oldest(SyncContext context)
{
    upstream::ListQuery query;
    query.page_size = 1;
    query.order = upstream::ListOrder::oldest;
    query.started_at = cache::beginning_of_time + std::chrono::seconds(1); // those without a chat may come first
    co_return co_await context.client.list_conversations(query, upstream::Priority::backfill);
}

Task<Estimate> Estimate::ask(SyncContext context)
{
    Estimate made;
    try {
        const auto listed = co_await list_oldest(context);
        const auto& found = listed.page.conversations;
        if (found.empty() || !found.front().last_chat_at) co_return made;
        made.oldest_ = found.front().last_chat_at;
        const auto first = found.front().created_at.value_or(*made.oldest_);
        const auto counts = co_await context.client.daily_counts(date_of(first), date_of(listed.asked_at),
                                                                 upstream::Priority::backfill);
        if (!counts) co_return made;
        for (const upstream::DailyCount& day : *counts) made.total_ += day.count;
    } catch (const Error&) { // it is only an estimate: where it cannot be had, there is none
    }
    co_return made;
}

std::optional<double> Estimate::fraction(cache::Reader& db, std::int64_t held) const
{
    if (total_ > 0) return std::min(1.0, static_cast<double>(held) / static_cast<double>(total_));
    const cache::Covered covered = cache::load_covered(db);
    if (!oldest_ || !covered.from || *covered.through <= *oldest_) return std::nullopt;
    const auto done = std::chrono::duration<double>(*covered.through - *covered.from);
    const auto all = std::chrono::duration<double>(*covered.through - *oldest_);
    return std::min(1.0, done / all);
}

void Forecast::count_page(std::int64_t conversations)
{
    held_ += conversations;
    if (++pages_ == pages_worth_an_estimate) wants_turn_ = true;
    if (!estimate_ || pages_ % pages_between_looks != 0) return;
    fraction_ = context_.store.read([this](cache::Reader& db) { return estimate_->fraction(db, held_); });
    if (!begun_at_) begun_at_ = fraction_;
}

Task<> Forecast::take_turn()
{
    if (!std::exchange(wants_turn_, false)) co_return;
    estimate_ = co_await Estimate::ask(context_);
    begun_ = context_.clock.steady();
    held_ = context_.store.read([](cache::Reader& db) { return cache::load_totals(db); }).conversations;
}

std::optional<double> Forecast::seconds_left() const
{
    if (!fraction_ || !begun_at_ || *fraction_ <= *begun_at_) return std::nullopt;
    const double elapsed = std::chrono::duration<double>(context_.clock.steady() - begun_).count();
    return elapsed * (1 - *fraction_) / (*fraction_ - *begun_at_);
}

} // namespace alli::sync
