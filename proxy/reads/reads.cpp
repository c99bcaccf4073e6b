// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/reads.hpp"

#include "alli/error.hpp"
#include "cache/chat_detail.hpp"
#include "cache/conversations.hpp"
#include "cache/lists/list.hpp"
#include "cache/rows/categories.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/hmac_key.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/variables.hpp"
#include "proxy/reads/cursor.hpp"
#include "proxy/reads/list_continuation.hpp"
#include "proxy/reads/read_through.hpp"
#include "proxy/reads/supported_parameters.hpp"
#include "proxy/relay/forward.hpp"
#include "proxy/relay/runs.hpp"
#include "proxy/request/list_query.hpp"
#include "proxy/request/view.hpp"
#include "upstream/target.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr int last_page = 10'000'000; // beyond any conversation, and an offset that an int still holds

// None: the mirror does not hold the page whole. Throws Error{usage} for a wrong parameter.
std::optional<StoredBody> find_page(cache::Reader& db, const Parameters& parameters, const cache::Visibility& visible,
                                    bool part)
{
    ListQuery query = read_list_query(parameters, cache::load_progress(db).unit);
    query.filter.visible = visible;
    cache::ListFilter filter = query.filter; // cursors are bound to the query as it came
    if (!cache::resolve_category(db, filter) && !part) return std::nullopt;
    std::optional<cache::ListKey> after;
    if (query.cursor) {
        if (!is_our_cursor(*query.cursor)) return std::nullopt;
        Cursor cursor = read_cursor(*query.cursor, query.filter, cache::load_hmac_key(db));
        if (cursor.upstream_only) return std::nullopt;
        after = std::move(cursor.key);
    }
    const cache::Extent extent = part ? cache::Extent::held : cache::Extent::decided;
    cache::ListPage page = cache::list_conversations(db, filter, query.page_size, after, query.variables, extent);
    if (!page.decided || !page.lacking.empty()) return std::nullopt;
    page.body += "],\"cursor\":";
    if (page.next)
        page.body += '"' + write_cursor({std::move(*page.next)}, query.filter, cache::load_hmac_key(db)) + "\"}";
    else
        page.body += "null}";
    return StoredBody{std::move(page.body), Content::list, page.variables_at};
}

// A page behind a cursor of ours, and the state of its variables.
struct Behind {
    cache::ListPage page;
    TimeUnit unit;
    bool all_since(Instant then) const
    {
        return page.lacking.empty() && (!page.variables_at || *page.variables_at >= then);
    }
};

Behind look_behind(cache::Reader& db, const Parameters& parameters)
{
    const TimeUnit unit = cache::load_progress(db).unit;
    const ListQuery query = read_list_query(parameters, unit);
    const Cursor cursor = read_cursor(*query.cursor, query.filter, cache::load_hmac_key(db));
    cache::ListFilter filter = query.filter;
    cache::resolve_category(db, filter); // an unknown id is passed on as it came
    return {cache::list_conversations(db, filter, query.page_size, cursor.key, query.variables, cache::Extent::decided),
            unit};
}

Task<Behind> look_behind(const Context& cx, const Parameters& parameters)
{
    auto look = [&](cache::Reader& db) { return look_behind(db, parameters); };
    co_return co_await cx.store.read_long(look);
}

// The same list over the page's range of time, one unit wider at both ends in case bounds are exclusive.
std::string stretch_target(const Parameters& parameters, const Behind& behind)
{
    constexpr auto of_the_page = std::to_array<std::string_view>({"cursor", "pageSize", "startedAt", "endAt"});
    const auto grain = behind.unit == TimeUnit::seconds ? std::chrono::seconds(1) : std::chrono::milliseconds(1);
    std::string target(upstream::conversations_path);
    for (const auto& [name, value] : parameters)
        if (std::find(of_the_page.begin(), of_the_page.end(), name) == of_the_page.end())
            upstream::add_query(target, name, value);
    upstream::add_query(target, "pageSize", std::to_string(conversations_a_page));
    upstream::add_query(target, "startedAt", write_instant(*behind.page.oldest - grain, behind.unit));
    upstream::add_query(target, "endAt", write_instant(*behind.page.newest + grain, behind.unit));
    return target;
}

// One request each for what that range did not bring: conversations without a chat, an order by creation, more than a
// page of one time. Goes on after a 404, stops when upstream fails.
Task<> fetch_each(const Context& cx, const Request& rq, const std::vector<ConversationId>& lacking, FillTarget fill)
{
    fill.what = FillTarget::What::variables;
    Request one = rq;
    for (const ConversationId& id : lacking) {
        fill.id = id;
        one.operation = OperationId::get_conversation;
        one.conversation = id;
        one.target = upstream::conversation_target(id);
        upstream::add_query(one.target, "variables", fmt::format("{}", fmt::join(fill.names, ",")));
        FillTarget part = fill;
        Task<SharedReply> asking = forward_read(cx, one, std::move(part));
        const SharedReply shared_reply = co_await std::move(asking);
        if (!shared_reply.reply || is_unusable_status(shared_reply.reply->status)) co_return;
    }
}

// Fetches the variables that a page behind a cursor of ours lacks, or that were verified before `then`. Upstream cannot
// continue from that cursor, so it is asked for the page's range of time, which costs one request.
Task<> fetch_variables(const Context& cx, const Request& rq, const Parameters& parameters, FillTarget fill,
                       Instant then)
{
    Task<Behind> looking = look_behind(cx, parameters);
    const Behind behind = co_await std::move(looking);
    if (!behind.page.decided || behind.all_since(then)) co_return; // the whole page is forwarded then
    if (behind.page.oldest && behind.unit != TimeUnit::unknown) {
        Request stretch = rq;
        stretch.target = stretch_target(parameters, behind);
        FillTarget part = fill;
        Task<SharedReply> asking = forward_read(cx, stretch, std::move(part));
        const SharedReply shared_reply = co_await std::move(asking);
        if (!shared_reply.reply || is_unusable_status(shared_reply.reply->status)) co_return;
    }
    Task<Behind> again = look_behind(cx, parameters);
    const Behind left = co_await std::move(again);
    Task<> each = fetch_each(cx, rq, left.page.lacking, std::move(fill));
    co_await std::move(each);
}

std::optional<StoredBody> found(Content content, std::optional<std::string> body)
{
    if (!body) return std::nullopt;
    return StoredBody{std::move(*body), content};
}

std::optional<StoredBody> find_variables(cache::Reader& db, const ConversationId& id,
                                         const std::vector<std::string>& names)
{
    auto held = cache::find_with_variables(db, id, names);
    if (!held) return std::nullopt;
    return StoredBody{std::move(held->body), Content::conversation, held->verified_at};
}

void check_list_parameters(const Context& cx, ReadSpec& read, const Parameters& parameters)
{
    check_parameters(cx, read, parameters, SupportedParameters::list);
    if (!read.unsupported) read.unsupported = find_unsupported_in_list(parameters, cx.options.ignored_parameters);
    if (read.unsupported && read.polled)
        throw Error(Fault::usage, "", "the list of this cursor was asked with other parameters");
}

// The category may be newer than the mirror's list.
void refresh_unknown_category(const Context& cx, const Parameters& parameters)
{
    const auto id = find_parameter(parameters, "categoryId");
    if (!id) return;
    const auto known = cx.store.read([&](cache::Reader& db) { return cache::find_category_values(db, *id); });
    if (!known) cx.sync.refresh_categories();
}

bool is_our_page(const Parameters& parameters)
{
    const auto cursor = find_parameter(parameters, "cursor");
    return cursor && is_our_cursor(*cursor);
}

} // namespace

Task<Response> list_conversations(const Context& cx, const Request& rq)
{
    const Parameters parameters = read_query(rq.query());
    ReadSpec read;
    read.find = [&](cache::Reader& db, bool part) { return find_page(db, parameters, view_of(rq), part); };
    read.fill.what = FillTarget::What::list;
    read.fill.names = read_list_variables(parameters);
    read.polled = is_our_page(parameters);
    read.revalidate_when_stale = !read.fill.names.empty();
    read.slow = is_slow(parameters) || !read.fill.names.empty() || is_narrowed(rq);
    check_list_parameters(cx, read, parameters);
    refresh_unknown_category(cx, parameters);
    if (read.revalidate_when_stale && read.polled)
        read.fetch = [&](Instant then) { return fetch_variables(cx, rq, parameters, read.fill, then); };
    if (read.polled)
        read.continue_upstream = [&](FillTarget fill) {
            return continue_upstream(cx, rq, parameters, std::move(fill));
        };
    co_return co_await serve_read(cx, rq, read);
}

// The engine reads them periodically; a list from before a change through the proxy does not show it.
Task<Response> list_categories(const Context& cx, const Request& rq)
{
    const auto changed_at = cx.runs.categories_changed_at();
    const bool away = !cx.upstream.state().reachable;
    ReadSpec read;
    read.find = [&](cache::Reader& db, bool) -> std::optional<StoredBody> {
        auto held = cache::find_category_list(db);
        if (!held || (!away && changed_at && held->verified_at <= *changed_at)) return std::nullopt;
        return StoredBody{std::move(held->raw), std::nullopt, held->verified_at};
    };
    read.fill.what = FillTarget::What::categories;
    read.revalidate_when_stale = true;
    check_parameters(cx, read, read_query(rq.query()), SupportedParameters::categories);
    co_return co_await serve_read(cx, rq, read);
}

Task<Response> get_conversation(const Context& cx, const Request& rq)
{
    const ConversationId& id = *rq.conversation;
    const Parameters parameters = read_query(rq.query());
    const auto names = read_names(find_parameter(parameters, "variables").value_or(""));
    ReadSpec read;
    read.find = [&](cache::Reader& db, bool) {
        return names.empty() ? found(Content::conversation, cache::find_conversation(db, id))
                             : find_variables(db, id, names);
    };
    read.fill.what = names.empty() ? FillTarget::What::conversation : FillTarget::What::variables;
    read.fill.id = id;
    read.conversation = id;
    read.fill.names = names;
    read.by_id = names.empty();
    read.revalidate_when_stale = !names.empty();
    check_parameters(cx, read, parameters, SupportedParameters::conversation);
    co_return co_await serve_read(cx, rq, read);
}

Task<Response> list_chats(const Context& cx, const Request& rq)
{
    const Parameters parameters = read_query(rq.query());
    const int page_no = read_number(parameters, "pageNo", 1, 1, last_page);
    const ConversationId& id = *rq.conversation;
    ReadSpec read;
    read.find = [&](cache::Reader& db, bool) { return found(Content::chats, cache::find_chat_page(db, id, page_no)); };
    read.fill.what = FillTarget::What::chats;
    read.fill.id = id;
    read.conversation = id;
    read.fill.page_no = page_no;
    read.by_id = true;
    check_parameters(cx, read, parameters, SupportedParameters::chats);
    co_return co_await serve_read(cx, rq, read);
}

Task<Response> get_chat(const Context& cx, const Request& rq)
{
    const ConversationId& id = *rq.conversation;
    const ChatId chat{rq.ids[1]};
    const auto held = cx.store.read([&](cache::Reader& db) { return cache::find_chat(db, id, chat); });
    ReadSpec read;
    read.find = [&](cache::Reader& db, bool) -> std::optional<StoredBody> {
        auto now = cache::find_chat(db, id, chat);
        if (!now) return std::nullopt;
        return StoredBody{std::move(now->raw), Content::chat};
    };
    read.may_be_incomplete = held && !held->whole;
    read.fill.what = FillTarget::What::chat;
    read.fill.id = id;
    read.conversation = id;
    read.fill.chat = chat;
    if (held) read.fill.of = held->of;
    read.by_id = true;
    check_parameters(cx, read, read_query(rq.query()), SupportedParameters::chat);
    co_return co_await serve_read(cx, rq, read);
}

} // namespace alli::proxy
