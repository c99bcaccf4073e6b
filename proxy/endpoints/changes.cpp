// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/changes.hpp"

#include "cache/search/search.hpp"
#include "proxy/endpoints/feed_events.hpp"
#include "proxy/endpoints/parameter_values.hpp"
#include "proxy/request/accept_header.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/view.hpp"

#include <charconv>

namespace alli::proxy {
namespace {

constexpr int most_changes = 1000;
constexpr int most_reads = 20;   // of what a query passes by, for one answer
constexpr int longest_wait = 60; // seconds; shorter than the idle timeout of common proxies

constexpr std::int64_t nowhere = -1; // a number that the feed never goes on from

std::int64_t read_place(std::string_view text)
{
    std::int64_t place = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, place);
    return bad == std::errc{} && stop == end && place >= 0 ? place : nowhere;
}

Task<std::int64_t> read_since(const Context& cx, const Request& rq, const Parameters& parameters)
{
    const std::string text = find_parameter(parameters, "since").value_or("0");
    const cache::Visibility seen = view_of(rq);
    if (text == "now") co_return co_await cx.feed.last(seen);
    const std::int64_t since = read_place(text);
    if (since == nowhere) throw Error(Fault::usage, "", "since must be a number that the feed gave out, 0 or now");
    co_return since;
}

// A value that cannot be one would find nothing for ever. A name that nobody bears yet may come.
FeedScope read_scope(const Context& cx, const Request& rq, const Parameters& parameters)
{
    FeedScope scope{view_of(rq), {}};
    const Zone zone = read_zone(parameters, cx.options.zone);
    const std::string text = find_parameter(parameters, "q").value_or("");
    if (text.empty()) return scope;
    scope.query = cache::SearchQuery{};
    scope.query->text = text;
    scope.query->zone = zone;
    scope.query->visible = scope.seen;
    const auto unknown = cache::parse_query(*scope.at(cx.clock.now()).query).filters.unknown;
    if (!unknown.empty())
        throw Error(Fault::usage, fmt::format("it takes {}", fmt::join(unknown.front().valid, ", ")),
                    "q has a value of {} that cannot be one", unknown.front().name);
    return scope;
}

// Accepted by name, with a weight no less than JSON's.
bool takes_events(std::string_view accept)
{
    const int events = weight_of(accept, "text/event-stream").value_or(0);
    return events > 0 && events >= weight_of_type(accept, "application/json").value_or(0);
}

Response answer_events(const Context& cx, const Request& rq, FeedScope scope, std::int64_t since)
{
    // A browser that reconnects repeats the old URL, and names the last event that it got.
    if (rq.has("Last-Event-ID")) since = read_place(rq.header("Last-Event-ID"));
    Response response = text_response("text/event-stream", Body());
    response.headers.add("X-Accel-Buffering", "no"); // nginx would buffer short events
    response.stream =
        std::make_unique<FeedEvents>(cx.feed, std::move(scope), since, cx.options.limits.heartbeat, rq.grant, cx.clock);
    return response;
}

Response start_again()
{
    return problem(ErrorFormat::ours, 410,
                   "the feed does not go on from this number: the mirror was rebuilt or put back since",
                   "forget what was read and start again with since=0");
}

Response no_longer_let_in()
{
    return problem(ErrorFormat::ours, 401, "the token or session that this was asked with has ended meanwhile");
}

// The changes that there are, else those that come within the time; then an empty page, which goes on from the same
// number or, with a query, from what was passed by.
Task<Response> answer_json(const Context& cx, const Request& rq, FeedScope scope, std::int64_t since, int limit,
                           std::chrono::seconds wait)
{
    const std::shared_ptr<const Grant> grant = rq.grant;
    Moment now = Moment::now(cx.clock);
    const auto until = now.steady + wait;
    auto page = co_await cx.feed.page(scope.at(now.wall), since, since, limit);
    for (int reads = 1; !page->lost && page->changes.empty() && !cx.feed.is_over(); ++reads) {
        if (now.steady >= until && (!page->more || reads >= most_reads)) break;
        if (!page->more) co_await cx.feed.wait(page->looked_through, grant->next_look(now, until));
        now = Moment::now(cx.clock);
        if (!grant->holds(now)) co_return no_longer_let_in();
        page = co_await cx.feed.page(scope.at(now.wall), page->next, page->looked_through, limit);
    }
    if (page->lost) co_return start_again();
    co_return text_response("application/json", page->json);
}

} // namespace

Task<Response> mirror_changes(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    const Parameters parameters = read_query(rq.query());
    const int limit = read_number(parameters, "limit", most_changes, 1, most_changes);
    const int wait = read_number(parameters, "wait", 0, 0, longest_wait);
    FeedScope scope = read_scope(cx, rq, parameters);
    const std::int64_t since = co_await read_since(cx, rq, parameters);
    if (takes_events(rq.header("Accept"))) co_return answer_events(cx, rq, std::move(scope), since);
    const bool patient = rq.method != "HEAD";
    rq.end_with_client();
    co_return co_await answer_json(cx, rq, std::move(scope), since, limit, std::chrono::seconds(patient ? wait : 0));
}

} // namespace alli::proxy
