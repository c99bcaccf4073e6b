// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads.hpp"

#include "cache/conversations.hpp"
#include "cache/cursor_secret.hpp"
#include "cache/list.hpp"
#include "cache/progress.hpp"
#include "proxy/cached.hpp"
#include "proxy/cursor.hpp"
#include "proxy/list_query.hpp"
#include "proxy/relay.hpp"

namespace alli::proxy {
namespace {

constexpr int last_page = 10'000'000; // beyond any conversation, and an offset that an int still holds

// As that member upstream may show less than the project's key does.
bool asks_as_member(const Request& rq)
{
    return rq.has("AGENT-EMAIL");
}

std::string joined(std::string_view opening, const std::vector<std::string>& items, std::string_view closing)
{
    std::size_t size = opening.size() + closing.size() + items.size();
    for (const std::string& item : items) size += item.size();
    std::string text;
    text.reserve(size);
    text += opening;
    for (const std::string& item : items) {
        if (&item != &items.front()) text += ',';
        text += item;
    }
    return text += closing;
}

// Conversations without a chat are in no window: with one, the interval alone has to be complete.
bool is_known(cache::Reader& db, const cache::ListFilter& filter)
{
    if (!filter.started_at && !filter.end_at) return cache::is_complete(db);
    return cache::is_covered(db, filter.started_at.value_or(cache::beginning_of_time), filter.end_at);
}

// None: upstream has to be asked. Throws Error{usage} for parameters that are wrong.
std::optional<Found> find_page(cache::Reader& db, const Parameters& parameters)
{
    const cache::Progress progress = cache::load_progress(db);
    const ListQuery query = read_list_query(parameters, progress.unit);
    if (query.beyond_mirror || (query.cursor && !is_our_cursor(*query.cursor))) return std::nullopt;

    std::optional<cache::ListKey> after;
    if (query.cursor) after = read_cursor(*query.cursor, query.filter, cache::load_cursor_secret(db));
    if (!is_known(db, query.filter)) return std::nullopt;

    const cache::ListPage page = cache::list_conversations(db, query.filter, query.page_size, after);
    std::string closing = "],\"cursor\":null}";
    if (page.next)
        closing = "],\"cursor\":\"" + write_cursor(*page.next, query.filter, cache::load_cursor_secret(db)) + "\"}";
    return Found{joined("{\"conversations\":[", page.items, closing), progress.verified_at};
}

template <class Find>
std::optional<Found> find(const Context& cx, Find find_body)
{
    require_accepted_key(cx);
    return cx.needs.store.read([&](cache::Reader& db) -> std::optional<Found> {
        std::optional<std::string> body = find_body(db);
        if (!body) return std::nullopt;
        return Found{std::move(*body), cache::load_progress(db).verified_at};
    });
}

// What can be said without upstream about a list that is not covered, or (one_thing) about an id that is not held.
Response without_upstream(const Context& cx, bool one_thing)
{
    const auto covered = cx.needs.store.read([](cache::Reader& db) { return cache::load_covered(db); });
    const bool unknown = one_thing && covered.complete;
    Response response =
        unknown ? problem(Surface::contract_read, 404, "there is no such conversation or chat")
                : problem(Surface::contract_read, 504, "upstream cannot be reached, and " + describe(covered));
    response.headers.push_back({"Cache-Status", "alli-mirror; fwd=miss; detail=offline"});
    return response;
}

Task<Response> ask_upstream(const Context& cx, const Request& rq, bool one_thing)
{
    try {
        Response response = co_await relay(cx, rq, Why::miss, cx.options.forward_timeout);
        require_no_redirect(response);
        co_return response;
    } catch (const Error& error) {
        if (error.fault() != Fault::unreachable) throw;
    }
    co_return without_upstream(cx, one_thing);
}

} // namespace

Task<Response> list_conversations(const Context& cx, const Request& rq)
{
    if (asks_as_member(rq)) co_return co_await relay_read(cx, rq);
    require_accepted_key(cx);
    const Parameters parameters = read_query(rq.query());
    auto found = cx.needs.store.read([&](cache::Reader& db) { return find_page(db, parameters); });
    if (found) co_return cached_response(cx, rq, std::move(*found));
    co_return co_await ask_upstream(cx, rq, false);
}

Task<Response> get_conversation(const Context& cx, const Request& rq)
{
    if (asks_as_member(rq)) co_return co_await relay_read(cx, rq);
    const ConversationId id{rq.ids[0]};
    if (find_parameter(read_query(rq.query()), "variables")) co_return co_await ask_upstream(cx, rq, false);
    auto found = find(cx, [&](cache::Reader& db) { return cache::find_conversation(db, id); });
    if (found) co_return cached_response(cx, rq, std::move(*found));
    co_return co_await ask_upstream(cx, rq, true);
}

Task<Response> list_chats(const Context& cx, const Request& rq)
{
    const int page_no = read_number(read_query(rq.query()), "pageNo", 1, 1, last_page);
    if (asks_as_member(rq)) co_return co_await relay_read(cx, rq);
    const ConversationId id{rq.ids[0]};
    auto found = find(cx, [&](cache::Reader& db) -> std::optional<std::string> {
        const auto chats = cache::find_chats(db, id, page_no);
        if (!chats) return std::nullopt;
        return joined("{\"chats\":[", *chats, "]}");
    });
    if (found) co_return cached_response(cx, rq, std::move(*found));
    co_return co_await ask_upstream(cx, rq, true);
}

Task<Response> get_chat(const Context& cx, const Request& rq)
{
    if (asks_as_member(rq)) co_return co_await relay_read(cx, rq);
    const ConversationId id{rq.ids[0]};
    const ChatId chat{rq.ids[1]};
    auto found = find(cx, [&](cache::Reader& db) { return cache::find_chat(db, id, chat); });
    if (found) co_return cached_response(cx, rq, std::move(*found));
    co_return co_await ask_upstream(cx, rq, true);
}

} // namespace alli::proxy
