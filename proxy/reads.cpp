// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads.hpp"

#include "cache/assemble.hpp"
#include "cache/conversations.hpp"
#include "cache/cursor_secret.hpp"
#include "cache/detail.hpp"
#include "cache/list.hpp"
#include "cache/variables.hpp"
#include "proxy/cached.hpp"
#include "proxy/cursor.hpp"
#include "proxy/forward.hpp"
#include "proxy/list_query.hpp"
#include "upstream/target.hpp"

namespace alli::proxy {
namespace {

constexpr int last_page = 10'000'000; // beyond any conversation, and an offset that an int still holds

// Conversations without a chat are in no window: with one, the interval alone has to be complete.
bool is_known(cache::Reader& db, const cache::ListFilter& filter)
{
    if (!filter.started_at && !filter.end_at) return cache::is_complete(db);
    return cache::is_covered(db, filter.started_at.value_or(cache::beginning_of_time), filter.end_at);
}

// None: upstream has to be asked. Throws Error{usage} for parameters that are wrong.
std::optional<Found> find_page(cache::Reader& db, const Parameters& parameters, bool part)
{
    const ListQuery query = read_list_query(parameters, cache::load_progress(db).unit);
    if (query.beyond_mirror || (query.cursor && !is_our_cursor(*query.cursor))) return std::nullopt;

    std::optional<cache::ListKey> after;
    if (query.cursor) after = read_cursor(*query.cursor, query.filter, cache::load_cursor_secret(db));
    if (!part && !is_known(db, query.filter)) return std::nullopt;

    cache::ListPage page = cache::list_conversations(db, query.filter, query.page_size, after, query.variables);
    if (!page.lacking.empty()) return std::nullopt;
    page.body += "],\"cursor\":";
    if (page.next)
        page.body += '"' + write_cursor(*page.next, query.filter, cache::load_cursor_secret(db)) + "\"}";
    else
        page.body += "null}";
    return Found{std::move(page.body), page.variables_at};
}

std::vector<ConversationId> find_lacking(cache::Reader& db, const Parameters& parameters)
{
    const ListQuery query = read_list_query(parameters, cache::load_progress(db).unit);
    const auto after = read_cursor(*query.cursor, query.filter, cache::load_cursor_secret(db));
    return cache::list_conversations(db, query.filter, query.page_size, after, query.variables).lacking;
}

// Upstream cannot go on from a cursor of ours: what the page lacks is asked for one by one.
Task<> fetch_lacking(const Context& cx, const Request& rq, const Parameters& parameters, Kept kept)
{
    auto find = [&](cache::Reader& db) { return find_lacking(db, parameters); };
    const std::vector<ConversationId> lacking = co_await cx.needs.store.read_long(find);
    kept.what = Kept::What::variables;
    Request one = rq;
    for (const ConversationId& id : lacking) {
        kept.id = id;
        one.target = upstream::conversation_target(id);
        upstream::add_query(one.target, "variables", fmt::format("{}", fmt::join(kept.names, ",")));
        Kept part = kept;
        Task<Landing> asking = forward_read(cx, one, std::move(part));
        const Landing landing = co_await std::move(asking);
        if (!landing.stored) co_return; // nor will the others be
    }
}

bool may_ask(const Context& cx, const Request& rq)
{
    return cx.needs.upstream().reachable && !rq.has("AGENT-EMAIL") && !wishes_of(rq).only_if_cached;
}

std::optional<Found> found(std::optional<std::string> body)
{
    if (!body) return std::nullopt;
    return Found{std::move(*body)};
}

std::optional<Found> find_variables(cache::Reader& db, const ConversationId& id, const std::vector<std::string>& names)
{
    auto held = cache::find_with_variables(db, id, names);
    if (!held) return std::nullopt;
    return Found{std::move(held->body), held->verified_at};
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
    Read read;
    read.find = [&](cache::Reader& db, bool part) { return find_page(db, parameters, part); };
    read.kept.what = Kept::What::list;
    read.kept.names = read_list_variables(parameters);
    read.polled = is_our_page(parameters);
    read.never_old = !read.kept.names.empty() && !read.polled;
    read.slow = is_slow(parameters) || !read.kept.names.empty();
    if (read.polled && !read.kept.names.empty() && may_ask(cx, rq)) {
        Task<> fetching = fetch_lacking(cx, rq, parameters, read.kept);
        co_await std::move(fetching);
    }
    co_return co_await answer_read(cx, rq, read);
}

Task<Response> get_conversation(const Context& cx, const Request& rq)
{
    const ConversationId id{rq.ids[0]};
    const auto names = read_names(find_parameter(read_query(rq.query()), "variables").value_or(""));
    Read read;
    read.find = [&](cache::Reader& db, bool) {
        return names.empty() ? found(cache::find_conversation(db, id)) : find_variables(db, id, names);
    };
    read.kept.what = names.empty() ? Kept::What::conversation : Kept::What::variables;
    read.kept.id = id;
    read.of = id;
    read.kept.names = names;
    read.one_thing = names.empty();
    read.never_old = !names.empty();
    co_return co_await answer_read(cx, rq, read);
}

Task<Response> list_chats(const Context& cx, const Request& rq)
{
    const int page_no = read_number(read_query(rq.query()), "pageNo", 1, 1, last_page);
    const ConversationId id{rq.ids[0]};
    Read read;
    read.find = [&](cache::Reader& db, bool) { return found(cache::find_chat_page(db, id, page_no)); };
    read.kept.what = Kept::What::chats;
    read.kept.id = id;
    read.of = id;
    read.kept.page_no = page_no;
    read.one_thing = true;
    co_return co_await answer_read(cx, rq, read);
}

Task<Response> get_chat(const Context& cx, const Request& rq)
{
    const ConversationId id{rq.ids[0]};
    const ChatId chat{rq.ids[1]};
    const auto held = cx.needs.store.read([&](cache::Reader& db) { return cache::find_chat(db, id, chat); });
    Read read;
    read.find = [&](cache::Reader& db, bool) -> std::optional<Found> {
        auto now = cache::find_chat(db, id, chat);
        if (!now) return std::nullopt;
        return Found{std::move(now->raw)};
    };
    read.upstream_once = held && !held->whole;
    read.kept.what = Kept::What::chat;
    read.kept.id = id;
    read.of = id;
    read.kept.chat = chat;
    if (held) read.kept.of = held->of;
    read.one_thing = true;
    co_return co_await answer_read(cx, rq, read);
}

} // namespace alli::proxy
