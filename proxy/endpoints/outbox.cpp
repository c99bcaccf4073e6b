// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/outbox.hpp"

#include "cache/outbox/entry_json.hpp"
#include "cache/outbox/visible_outbox.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/view.hpp"

#include <charconv>

namespace alli::proxy {
namespace {

std::optional<std::int64_t> read_id(std::string_view text)
{
    std::int64_t id = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (bad != std::errc{} || end != text.data() + text.size() || id < 1) return std::nullopt;
    return id;
}

cache::EntryQuery read_entry_query(const Parameters& parameters)
{
    cache::EntryQuery query;
    query.limit = read_number(parameters, "limit", 100, 1, 1000);
    if (const auto state = find_parameter(parameters, "state")) {
        query.state = cache::find_entry_state(*state);
        if (!query.state)
            throw Error(Fault::usage, "", "state must be pending, sending, conflict, failed or delivered");
    }
    if (const auto cursor = find_parameter(parameters, "cursor")) {
        query.before = read_id(*cursor);
        if (!query.before) throw Error(Fault::usage, "", "cursor must be what the page before returned as next");
    }
    return query;
}

// The entries of conversations in view; may look through many, so not on a proxy loop.
Task<std::vector<cache::Entry>> find_in_view(const Context& cx, const Request& rq, const cache::EntryQuery& query)
{
    const cache::Visibility seen = view_of(rq);
    const auto job = [&](cache::Reader& mirror) {
        return cx.store.read_outbox(
            [&](cache::Reader& outbox) { return cache::list_visible_entries(outbox, mirror, seen, query); });
    };
    co_return co_await cx.store.read_long(job);
}

std::vector<cache::Entry> find_all(const Context& cx, const cache::EntryQuery& query)
{
    return cx.store.read_outbox([&](cache::Reader& db) { return cache::list_entries(db, query); });
}

// The headers name the user who wrote, who need not be in view.
std::string entry_json_for(const Request& rq, cache::Entry entry)
{
    if (is_narrowed(rq)) entry.headers = "{}";
    return cache::entry_json(entry);
}

} // namespace

Response no_such_entry()
{
    return problem(ErrorFormat::ours, 404,
                   "there is no such write: it was never accepted, was discarded, or was delivered "
                   "more than a day ago");
}

bool is_entry_in_view(const Context& cx, std::string_view id, const cache::Visibility& seen)
{
    const auto number = read_id(id);
    if (!number) return false;
    const auto entry = cx.store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, *number); });
    return entry && cx.store.read([&](cache::Reader& db) { return cache::is_visible(db, *entry, seen); });
}

Task<Response> list_outbox(const Context& cx, const Request& rq)
{
    const cache::EntryQuery query = read_entry_query(read_query(rq.query()));
    std::vector<cache::Entry> entries;
    if (is_narrowed(rq))
        entries = co_await find_in_view(cx, rq, query);
    else
        entries = find_all(cx, query);
    co_return text_response("application/json", cache::entries_json(entries, query.limit));
}

Task<Response> get_outbox_entry(const Context& cx, const Request& rq)
{
    const auto id = read_id(rq.ids[0]);
    if (!id) co_return no_such_entry();
    const auto entry = cx.store.read_outbox([&](cache::Reader& db) { return cache::find_entry(db, *id); });
    if (!entry) co_return no_such_entry();
    co_return text_response("application/json", entry_json_for(rq, *entry));
}

Task<Response> retry_outbox_entry(const Context& cx, const Request& rq)
{
    const auto id = read_id(rq.ids[0]);
    if (!id) co_return no_such_entry();
    const cache::RetryResult retried = co_await cx.delivery.retry(*id);
    if (retried.outcome == cache::OperatorResult::absent) co_return no_such_entry();
    if (retried.outcome == cache::OperatorResult::wrong_state)
        co_return problem(ErrorFormat::ours, 409, "it is being sent, or was delivered: there is nothing to retry");
    Response response = text_response("application/json", entry_json_for(rq, retried.entry));
    response.status = 202;
    co_return response;
}

Task<Response> discard_outbox_entry(const Context& cx, const Request& rq)
{
    const auto id = read_id(rq.ids[0]);
    if (!id) co_return no_such_entry();
    const cache::OperatorResult outcome = co_await cx.delivery.discard(*id);
    if (outcome == cache::OperatorResult::absent) co_return no_such_entry();
    if (outcome == cache::OperatorResult::wrong_state)
        co_return problem(ErrorFormat::ours, 409, "it is being sent, or was delivered: it cannot be taken back");
    Response response;
    response.status = 204;
    co_return response;
}

} // namespace alli::proxy
