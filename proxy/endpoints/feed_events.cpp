// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/feed_events.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::proxy {
namespace {

constexpr int most_at_once = 200;
constexpr std::string_view greeting = "retry: 1000\n\n";
constexpr std::string_view sign_of_life = ":\n\n";

} // namespace

FeedEvents::FeedEvents(Feed& feed, cache::Visibility seen, std::int64_t since, std::chrono::milliseconds heartbeat,
                       std::shared_ptr<const Grant> grant, const Clock& clock)
    : feed_(feed), seen_(std::move(seen)), since_(since), looked_through_(since), heartbeat_(heartbeat),
      grant_(std::move(grant)), clock_(clock)
{}

Task<std::optional<std::string>> FeedEvents::next()
{
    if (!std::exchange(greeted_, true)) co_return std::string(greeting);
    const auto beat = std::chrono::steady_clock::now() + heartbeat_;
    for (Moment now = Moment::now(clock_); !over_ && !feed_.is_over() && grant_->holds(now);
         now = Moment::now(clock_)) {
        const auto page = co_await feed_.page(seen_, since_, looked_through_, most_at_once);
        if (page->lost) co_return co_await start_again();
        since_ = page->next;
        looked_through_ = page->looked_through;
        grant_->use(now.steady);
        if (!page->changes.empty()) co_return *page->events;
        if (now.steady >= beat) co_return std::string(sign_of_life);
        co_await feed_.wait(looked_through_, grant_->next_look(now, beat));
    }
    co_return std::nullopt;
}

Task<std::string> FeedEvents::start_again()
{
    since_ = looked_through_ = co_await feed_.last(seen_);
    co_return fmt::format("event: reset\nid: {0}\ndata: {{\"next\":{0}}}\n\n", since_);
}

} // namespace alli::proxy
