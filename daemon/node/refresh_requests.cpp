// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/refresh_requests.hpp"

#include "cluster/ask_refresh.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace alli::daemon {

using namespace std::chrono_literals;

RefreshRequests::RefreshRequests(asio::io_context& loop, cluster::Truth& truth, Clock& clock)
    : loop_(loop), truth_(truth), clock_(clock), added_(loop.get_executor())
{}

void RefreshRequests::ask(std::string conversation)
{
    asio::post(loop_, [this, id = std::move(conversation)]() mutable { add(std::move(id)); });
}

void RefreshRequests::forget_old(Clock::Steady now)
{
    if (asked_.size() < most) return;
    std::erase_if(asked_, [&](const auto& one) { return now - one.second >= at_most_every; });
}

void RefreshRequests::add(std::string conversation)
{
    const Clock::Steady now = clock_.steady();
    const auto at_most = conversation == "*" ? lists_at_most_every : at_most_every;
    const auto found = asked_.find(conversation);
    if (found != asked_.end() && now - found->second < at_most) return;
    forget_old(now);
    if (waiting_.size() >= most || asked_.size() >= 10 * most) return;
    asked_[conversation] = now;
    waiting_.insert(std::move(conversation));
    added_.notify();
}

// False: not now.
Task<bool> RefreshRequests::ask_for(std::vector<std::string> some)
{
    bool asked = true;
    try {
        co_await cluster::ask_refresh(truth_, some);
    } catch (const Error&) {
        asked = false; // status says that the database is away
    }
    if (asked)
        for (const std::string& id : some) waiting_.erase(id);
    co_return asked;
}

Task<> RefreshRequests::run()
{
    for (;;) {
        if (waiting_.empty()) {
            co_await added_.wait(clock_, 1h);
            continue;
        }
        const auto count = std::min(most_at_once, waiting_.size());
        std::vector<std::string> some(waiting_.begin(),
                                      std::next(waiting_.begin(), static_cast<std::ptrdiff_t>(count)));
        const bool asked = co_await ask_for(std::move(some));
        co_await clock_.sleep(asked ? pause : std::chrono::milliseconds(1'000));
    }
}

} // namespace alli::daemon
