// SPDX-License-Identifier: Apache-2.0
#include "proxy/feed_events.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::proxy {
namespace {

constexpr int most_at_once = 200;
constexpr std::string_view greeting = "retry: 1000\n\n";
constexpr std::string_view sign_of_life = ":\n\n";

} // namespace

FeedEvents::FeedEvents(Feed& feed, std::int64_t since, std::chrono::milliseconds heartbeat,
                       std::function<bool()> allowed)
    : feed_(feed), since_(since), heartbeat_(heartbeat), allowed_(std::move(allowed))
{}

Task<std::optional<std::string>> FeedEvents::next()
{
    if (!std::exchange(greeted_, true)) co_return std::string(greeting);
    const auto beat = std::chrono::steady_clock::now() + heartbeat_;
    while (!over_ && !feed_.is_over()) {
        const auto page = feed_.page(since_, most_at_once);
        if (page->lost) co_return start_again();
        since_ = page->next;
        if (!page->changes.empty()) co_return *page->events;
        if (std::chrono::steady_clock::now() < beat) {
            co_await feed_.wait(since_, beat);
            continue;
        }
        if (!allowed_()) co_return std::nullopt;
        co_return std::string(sign_of_life);
    }
    co_return std::nullopt;
}

std::string FeedEvents::start_again()
{
    since_ = feed_.last();
    return fmt::format("event: reset\nid: {0}\ndata: {{\"next\":{0}}}\n\n", since_);
}

} // namespace alli::proxy
