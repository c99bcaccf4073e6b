// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/feed_events.hpp"

#include "cache/search/search_json.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

namespace alli::proxy {
namespace {

constexpr int most_at_once = 200;

// A reader of since=now that is cut off before anything changes goes on from here, too: an id without data is no event,
// but moves its Last-Event-ID.
std::string greet(std::int64_t since)
{
    return since < 0 ? "retry: 1000\n\n" : fmt::format("retry: 1000\n\nid: {}\n\n", since);
}

} // namespace

FeedEvents::FeedEvents(Feed& feed, FeedScope scope, std::int64_t since, std::chrono::milliseconds heartbeat,
                       std::shared_ptr<const Grant> grant, const Clock& clock)
    : feed_(feed), scope_(std::move(scope)), since_(since), looked_through_(since), told_(since), heartbeat_(heartbeat),
      grant_(std::move(grant)), clock_(clock)
{}

Task<std::optional<std::string>> FeedEvents::next()
{
    if (!std::exchange(greeted_, true)) co_return greet(since_);
    const auto beat = std::chrono::steady_clock::now() + heartbeat_;
    for (Moment now = Moment::now(clock_); !over_ && !feed_.is_over() && grant_->holds(now);
         now = Moment::now(clock_)) {
        const auto page = co_await feed_.page(scope_.at(now.wall), since_, looked_through_, most_at_once);
        if (page->lost) co_return co_await start_again();
        since_ = page->next;
        looked_through_ = page->looked_through;
        grant_->use(now.steady);
        const std::string warning = unknown_filters(*page);
        if (!page->changes.empty()) told_ = since_;
        if (!page->changes.empty() || !warning.empty()) co_return warning + *page->events;
        if (now.steady >= beat) co_return sign_of_life();
        if (page->more) continue;
        co_await feed_.wait(looked_through_, grant_->next_look(now, beat));
    }
    co_return std::nullopt;
}

Task<std::string> FeedEvents::start_again()
{
    since_ = looked_through_ = told_ = co_await feed_.last(scope_.seen);
    co_return fmt::format("event: reset\nid: {0}\ndata: {{\"next\":{0}}}\n\n", since_);
}

// An id without data is no event, but a reader that reconnects goes on from it.
std::string FeedEvents::sign_of_life()
{
    if (std::exchange(told_, since_) == since_) return ":\n\n";
    return fmt::format(":\nid: {}\n\n", since_);
}

// Once, and under a name of its own: who listens to changes alone does not hear it.
std::string FeedEvents::unknown_filters(const FeedPage& page)
{
    scope_.tells_unknown = false;
    if (page.unknown_filters.empty()) return {};
    nlohmann::ordered_json all;
    for (const cache::UnknownFilter& unknown : page.unknown_filters) all.push_back(cache::unknown_json(unknown));
    return fmt::format("event: unknownFilters\ndata: {}\n\n",
                       all.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

} // namespace alli::proxy
