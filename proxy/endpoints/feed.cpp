// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/feed.hpp"

#include "alli/error.hpp"
#include "cache/search/filters.hpp"
#include "cache/search/matching_changes.hpp"
#include "cache/search/search.hpp"
#include "cache/search/search_json.hpp"
#include "proxy/request/request_metrics.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace alli::proxy {
namespace {

constexpr std::chrono::milliseconds between_looks{10}; // while much is committed

std::string render(const cache::Change& change)
{
    nlohmann::ordered_json json;
    json["seq"] = change.seq;
    json["conversationId"] = nullptr;
    if (!change.conversation.value.empty()) json["conversationId"] = change.conversation.value;
    json["kind"] = change.kind;
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// What a page says beside its changes to who asked with a query.
std::string render_rest(const FeedPage& page)
{
    nlohmann::ordered_json rest;
    rest["more"] = page.more;
    for (const cache::UnknownFilter& unknown : page.unknown_filters)
        rest["unknownFilters"].push_back(cache::unknown_json(unknown));
    const std::string text = rest.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    return ',' + text.substr(1, text.size() - 2);
}

// Both renderings at once: each reader gets one of them, and a page is small.
void render(FeedPage& page, bool of_query = false)
{
    std::string json = R"({"changes":[)", events;
    for (const cache::Change& change : page.changes) {
        const std::string text = render(change);
        if (json.back() != '[') json += ',';
        json += text;
        fmt::format_to(std::back_inserter(events), "id: {}\ndata: {}\n\n", change.seq, text);
    }
    // Who goes on by the id of an event is not sent again through what was passed by.
    if (!page.changes.empty() && page.next > page.changes.back().seq)
        fmt::format_to(std::back_inserter(events), "id: {}\n\n", page.next);
    fmt::format_to(std::back_inserter(json), R"(],"next":{}{}}})", page.next, of_query ? render_rest(page) : "");
    page.json = std::make_shared<const std::string>(std::move(json));
    page.events = std::make_shared<const std::string>(std::move(events));
}

void read_all(cache::Reader& db, const cache::Visibility& seen, std::int64_t from, int limit, FeedPage& page)
{
    page.changes = cache::load_visible_changes(db, seen, from, limit);
    if (!page.changes.empty()) page.next = page.changes.back().seq;
    if (std::ssize(page.changes) == limit) page.looked_through = page.next;
}

// What was passed by is not read again, but for what is out of view: its numbers are not told.
void read_matching(cache::Reader& db, const FeedScope& scope, std::int64_t from, int limit, FeedPage& page)
{
    const cache::SearchQuery& query = *scope.query;
    cache::MatchingChanges found = cache::load_matching_changes(db, query, from, limit);
    page.changes = std::move(found.changes);
    page.more = found.more;
    if (found.more) page.looked_through = found.through;
    if (query.visible.is_whole())
        page.next = page.looked_through = std::max(page.looked_through, found.through);
    else if (found.through > from)
        page.next = found.through;
    if (scope.tells_unknown) page.unknown_filters = cache::find_unknown_names(db, cache::parse_query(query).filters);
}

} // namespace

Feed::Feed(asio::any_io_executor loop, cache::Store& store, Meters& meters)
    : loop_(std::move(loop)), store_(store), meters_(meters), pause_(loop_)
{}

// For all who ask for the same: then it costs no read.
bool Feed::is_kept(std::int64_t since, int limit) const
{
    return page_ && page_->since == since && page_limit_ == limit && page_commits_ == store_.commits();
}

std::shared_ptr<const FeedPage> Feed::page(std::int64_t since, int limit)
{
    const std::uint64_t commits = store_.commits();
    if (is_kept(since, limit)) return page_;
    auto made = std::make_shared<FeedPage>();
    made->since = since;
    store_.read([&](cache::Reader& db) {
        const cache::FeedBounds bounds = cache::load_feed_bounds(db);
        made->lost = !bounds.hold(since);
        made->next = bounds.last;
        if (!made->lost && since < bounds.last) made->changes = cache::load_changes(db, since, limit);
    });
    if (made->changes.size() == static_cast<std::size_t>(limit)) made->next = made->changes.back().seq;
    made->looked_through = made->next;
    render(*made);
    page_ = made;
    page_commits_ = commits;
    page_limit_ = limit;
    return page_;
}

std::int64_t Feed::last() const
{
    return store_.read([](cache::Reader& db) { return cache::load_feed_bounds(db).last; });
}

Task<std::shared_ptr<const FeedPage>> Feed::page(const FeedScope& scope, std::int64_t since,
                                                 std::int64_t looked_through, int limit)
{
    constexpr std::int64_t most_on_a_loop = 500; // each change names its conversation, which is a look-up
    if (scope.is_whole() && (limit <= most_on_a_loop || is_kept(since, limit) || last() - since <= most_on_a_loop))
        co_return page(since, limit);
    const auto job = [&](cache::Reader& db) {
        FeedPage made;
        const cache::FeedBounds bounds = cache::load_feed_bounds(db);
        made.since = made.next = since;
        made.lost = !bounds.hold(since);
        made.looked_through = bounds.last;
        const std::int64_t from = std::max(since, looked_through);
        if (made.lost) return made;
        if (scope.query)
            read_matching(db, scope, from, limit, made);
        else
            read_all(db, scope.seen, from, limit, made);
        return made;
    };
    auto made = std::make_shared<FeedPage>(co_await store_.read_long(job));
    render(*made, scope.query.has_value());
    co_return made;
}

Task<std::int64_t> Feed::last(const cache::Visibility& seen) const
{
    if (seen.is_whole()) co_return last();
    const auto job = [&](cache::Reader& db) { return cache::last_visible_change(db, seen); };
    co_return co_await store_.read_long(job);
}

Task<> Feed::wait(std::int64_t since, Steady until)
{
    if (over_ || seen_ > since) co_return;
    if (waiting_->empty()) seen_ = since; // what it has read; the others' place, where there are some, is known
    asio::steady_timer timer(loop_, until);
    struct Place {
        std::shared_ptr<Waiting> all;
        Waiting::iterator own;
        Meters& meters;
        ~Place()
        {
            all->erase(own);
            meters.count_reader(-1);
        }
    } const place{waiting_, waiting_->insert(waiting_->end(), &timer), meters_};
    meters_.count_reader(1);
    boost::system::error_code woken; // or the time has come: the reader looks
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void Feed::committed()
{
    if (told_.exchange(true)) return;
    asio::post(loop_, [this] { look(); });
}

// Many commits cost the loop one look each 10 ms.
void Feed::look()
{
    const auto now = std::chrono::steady_clock::now();
    if (now < last_look_ + between_looks) {
        pause_.expires_at(last_look_ + between_looks);
        pause_.async_wait([this](const boost::system::error_code& code) {
            if (!code) look();
        });
        return;
    }
    last_look_ = now;
    told_ = false;
    if (waiting_->empty()) return;
    try {
        const std::int64_t last_now = last();
        if (last_now <= seen_) return;
        seen_ = last_now;
    } catch (const Error&) {
        // The reader that is woken reads, and gets the failure as its response.
    }
    wake();
}

void Feed::wake()
{
    for (asio::steady_timer* timer : *waiting_) timer->cancel();
}

void Feed::look_again()
{
    asio::post(loop_, [this] { wake(); });
}

void Feed::wind_up()
{
    over_ = true;
    pause_.cancel();
    wake();
}

} // namespace alli::proxy
