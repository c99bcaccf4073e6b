// SPDX-License-Identifier: Apache-2.0
#include "proxy/changes.hpp"

#include "proxy/cached.hpp"
#include "proxy/feed.hpp"
#include "proxy/list_query.hpp"

#include <charconv>

namespace alli::proxy {
namespace {

constexpr int most_changes = 1000;
constexpr int longest_wait = 60; // seconds; shorter than what proxies between allow a silent answer

std::int64_t read_since(const std::string& text)
{
    std::int64_t since = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, since);
    if (bad != std::errc{} || stop != end || since < 0)
        throw Error(Fault::usage, "", "since must be a number that the feed gave out, 0 or now");
    return since;
}

Response start_again()
{
    return problem(Surface::ours, 410,
                   "the feed does not go on from this number: the mirror was rebuilt or put back since",
                   "forget what was read and start again with since=0");
}

// Whatever is there, or what comes within the time; in the end nothing new, and the same place.
Task<Response> answer_json(const Context& cx, std::int64_t since, int limit, std::chrono::seconds wait)
{
    const auto until = std::chrono::steady_clock::now() + wait;
    auto page = cx.feed.page(since, limit);
    while (!page->lost && page->changes.empty() && !cx.feed.is_over() && std::chrono::steady_clock::now() < until) {
        co_await cx.feed.wait(page->next, until);
        page = cx.feed.page(since, limit);
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
    const std::string from = find_parameter(parameters, "since").value_or("0");
    const std::int64_t since = from == "now" ? cx.feed.last() : read_since(from);
    const bool patient = rq.method != "HEAD";
    co_return co_await answer_json(cx, since, limit, std::chrono::seconds(patient ? wait : 0));
}

} // namespace alli::proxy
