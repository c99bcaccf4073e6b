// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/list_continuation.hpp"

#include "alli/error.hpp"
#include "alli/json_scan.hpp"
#include "alli/page_sizes.hpp"
#include "alli/quick_hash.hpp"
#include "alli/wire_field.hpp"
#include "cache/lists/list.hpp"
#include "cache/lists/list_plan.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/rows/categories.hpp"
#include "cache/rows/chatless.hpp"
#include "cache/rows/hmac_key.hpp"
#include "cache/rows/progress.hpp"
#include "proxy/reads/cursor.hpp"
#include "proxy/relay/forward.hpp"
#include "proxy/relay/suppression_filter.hpp"
#include "upstream/target.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

using cache::ChatlessPlace;
using cache::ListKey;

constexpr int most_pages = 8;           // of upstream's for one of ours
constexpr std::size_t most_shown = 200; // ids in a cursor; a few more if a page was cut

// Where the page begins.
struct Start {
    ListQuery query;
    Cursor cursor;
    TimeUnit unit = TimeUnit::unknown;
    std::string secret;
    bool oldest_first_leads = false; // upstream lists conversations without a chat first
    bool lacks_variables = false;    // the page is complete but for variables

    const ListKey& key() const { return cursor.key; }
    std::size_t size() const { return static_cast<std::size_t>(query.page_size); }
    bool chatless_first() const { return key().chatless == ChatlessPlace::first; }
    // Only conversations without a chat follow, at the end of the list.
    bool at_tail() const { return !key().when && !chatless_first(); }
};

bool is_decided(cache::Reader& db, const Start& start)
{
    cache::ListFilter filter = start.query.filter; // cursors are bound to the query as it came
    cache::resolve_category(db, filter);
    return cache::list_conversations(db, filter, start.query.page_size, start.cursor.key, {}, cache::Extent::decided)
        .decided;
}

Start load_start(cache::Reader& db, const Parameters& parameters)
{
    Start start;
    start.unit = cache::load_progress(db).unit;
    start.query = read_list_query(parameters, start.unit);
    start.secret = cache::load_hmac_key(db);
    start.cursor = read_cursor(*start.query.cursor, start.query.filter, start.secret);
    start.oldest_first_leads = cache::load_chatless_places(db).oldest_first == ChatlessPlace::first;
    start.lacks_variables = !start.query.variables.empty() && !start.cursor.upstream_only && is_decided(db, start);
    // Nothing else leads to the end of the list in a few pages.
    if (start.at_tail() && !start.cursor.upstream) start.cursor.reversed = start.oldest_first_leads;
    return start;
}

// Conversations without a chat are in no time window: asks for the whole list.
std::size_t rows_to_ask(const Start& start)
{
    if (start.at_tail() && !start.cursor.reversed) return conversations_a_page;
    const std::size_t again = std::max<std::size_t>(start.key().shown.size(), 1);
    return std::min<std::size_t>(conversations_a_page, start.size() + again);
}

// Ends one unit above the last row: even if bounds are exclusive, rows of the same time are in the page.
std::string target_behind(const Start& start, const Parameters& parameters, const std::optional<std::string>& cursor)
{
    const auto grain = start.unit == TimeUnit::seconds ? std::chrono::seconds(1) : std::chrono::milliseconds(1);
    const auto is_ours = [&](std::string_view name) {
        return name == "cursor" || name == "pageSize" || (name == "endAt" && start.key().when) ||
               (name == "order" && start.cursor.reversed);
    };
    std::string target(upstream::conversations_path);
    for (const auto& [name, value] : parameters)
        if (!is_ours(name)) upstream::add_query(target, name, value);
    upstream::add_query(target, "pageSize", std::to_string(rows_to_ask(start)));
    if (start.key().when) {
        const Instant above = *start.key().when + grain;
        const Instant end = std::min(above, start.query.filter.end_at.value_or(above));
        upstream::add_query(target, "endAt", write_instant(end, start.unit));
    }
    if (start.cursor.reversed) upstream::add_query(target, "order", "LAST_CHAT_TIME_ASC");
    if (cursor) upstream::add_query(target, "cursor", *cursor);
    return target;
}

struct Row {
    std::string text; // as it was sent
    std::string id;
    std::optional<Instant> when;
    bool told = false; // upstream says when
    bool chatless = false;
};

// A time that cannot be read is taken from the mirror, if the mirror showed the row.
Row read_row(cache::Store& store, JsonValue item, TimeUnit unit)
{
    Row row{std::string(item.text), id_of_item(item), {}, false, false};
    const JsonValue time = find_member(item, "lastChatTime");
    row.chatless = time.text.empty() || time.is_null();
    row.when = read_time(time, unit);
    row.told = row.when.has_value();
    if (row.told || row.chatless) return row;
    const ConversationId id{row.id};
    const auto held = store.read([&](cache::Reader& db) { return cache::find_summary(db, id); });
    if (held) row.when = held->last_chat_at;
    return row;
}

bool is_named(const ListKey& key, const Row& row)
{
    if (!key.id.empty() && row.id == key.id) return true;
    return std::find(key.shown.begin(), key.shown.end(), quick_hash(row.id)) != key.shown.end();
}

// Rows of one time are ordered by id, descending.
bool is_above(const ListKey& key, const Row& row)
{
    return !key.id.empty() && row.id >= key.id;
}

bool was_shown(const Start& start, const Row& row)
{
    const ListKey& key = start.key();
    if (is_named(key, row)) return true;
    if (!key.when) return row.chatless ? is_above(key, row) : !start.chatless_first();
    if (row.chatless) return start.chatless_first();
    if (!row.when) return false;
    return *row.when > *key.when || (*row.when == *key.when && is_above(key, row));
}

constexpr std::array<std::string_view, 1> content{"conversations"};

// A page of upstream's.
struct Page {
    std::vector<Row> fresh;            // those not shown before
    std::optional<std::string> cursor; // none: all that follows was shown already
};

Page read_page(cache::Store& store, const Start& start, const std::string& body)
{
    const JsonValue object = find_content(whole_value(body), content);
    Page page;
    page.cursor = read_id(find_member(object, "cursor"));
    for (JsonItems items(find_member(object, content[0])); items.next();) {
        Row row = read_row(store, items.value, start.unit);
        if (start.cursor.reversed && !row.chatless) page.cursor.reset(); // only chats from here on
        if (!was_shown(start, row)) page.fresh.push_back(std::move(row));
    }
    return page;
}

bool is_lower(const std::optional<Instant>& next, const std::optional<Instant>& before)
{
    return next && (!before || *next < *before);
}

// The key at which a page ends: below the time of the page before, or among the rows of that time.
ListKey key_behind(const Start& start, const std::vector<Row>& rows)
{
    ListKey next = start.key();
    const auto last = std::find_if(rows.rbegin(), rows.rend(), [](const Row& row) { return row.told; });
    if (last != rows.rend() && is_lower(last->when, next.when)) next = {last->when, "", next.bound, next.chatless, {}};
    for (const Row& row : rows)
        if (row.when == next.when || (!row.told && !row.chatless)) next.shown.push_back(quick_hash(row.id));
    return next;
}

// What follows upstream's last page of conversations with a chat.
std::optional<Cursor> tail_behind(const Start& start)
{
    const ChatlessPlace place = start.key().chatless;
    const bool behind = place == ChatlessPlace::last || place == ChatlessPlace::unknown;
    if (!start.key().when || !behind || !cache::may_have_timeless(start.query.filter)) return std::nullopt;
    return Cursor{ListKey{std::nullopt, "", start.key().bound, place, {}}};
}

// `rows`: the part of the page that is shown; `asked`: the cursor that it was asked with. Uses upstream's cursor only
// if no time leads on, because a cursor that is a position skips rows that shift.
std::optional<Cursor> cursor_behind(const Start& start, const Page& page, const std::vector<Row>& rows,
                                    const std::optional<std::string>& asked)
{
    const bool cut = rows.size() < page.fresh.size();
    if (!cut && !page.cursor) return tail_behind(start);
    Cursor next{key_behind(start, rows), {}, start.cursor.upstream_only, start.cursor.reversed};
    if (is_lower(next.key.when, start.key().when)) {
        next.upstream_only = next.reversed = false;
        return next;
    }
    next.upstream = cut ? asked : page.cursor;
    if (next.key.shown.size() > most_shown && !cut) {
        next.key.shown.clear();
        next.upstream_only = true;
    }
    return next;
}

std::string with_cursor(const std::string& body, const std::string& cursor)
{
    const JsonValue object = find_content(whole_value(body), content);
    const JsonValue held = find_member(object, "cursor");
    if (!held.text.empty()) return with_part(body, held.text, cursor);
    return with_part(body, object.text.substr(object.text.size() - 1), fmt::format(R"(,"cursor":{}}})", cursor));
}

// Upstream's page with these rows and this cursor.
SharedReply with_rows(const SharedReply& shared_reply, const std::vector<Row>& rows, const std::string& cursor)
{
    std::vector<std::string> texts;
    for (const Row& row : rows) texts.push_back(row.text);
    const std::string& body = shared_reply.reply->body;
    const JsonValue items = find_member(find_content(whole_value(body), content), content[0]);
    upstream::Reply reply{shared_reply.reply->status, shared_reply.reply->headers, {}};
    put_body(reply, with_cursor(with_part(body, items.text, array_of(texts)), cursor));
    SharedReply made = shared_reply;
    made.reply = std::make_shared<const upstream::Reply>(std::move(reply));
    return made;
}

SharedReply continued(const Start& start, const SharedReply& shared_reply, const Page& page,
                      const std::optional<std::string>& asked)
{
    std::vector<Row> rows = page.fresh;
    if (rows.size() > start.size()) rows.resize(start.size());
    const auto next = cursor_behind(start, page, rows, asked);
    const std::string cursor = next ? write_cursor(*next, start.query.filter, start.secret) : "";
    return with_rows(shared_reply, rows, next ? '"' + cursor + '"' : "null");
}

// Goes on to the conversations without a chat if the page leads there, instead of serving an empty page before.
bool turns_to_tail(Start& start, const Page& page)
{
    if (!page.fresh.empty() || page.cursor || !start.oldest_first_leads) return false;
    auto tail = tail_behind(start);
    if (!tail) return false;
    start.cursor = std::move(*tail);
    start.cursor.reversed = true;
    return true;
}

bool is_page(const SharedReply& shared_reply)
{
    if (shared_reply.failure || shared_reply.reply->status != 200 ||
        !is_reply_about(ReadSubject{OperationId::list_conversations}, *shared_reply.reply))
        return false;
    return find_member(find_content(whole_value(shared_reply.reply->body), content), content[0]).is_array();
}

} // namespace

Task<std::optional<SharedReply>> continue_upstream(const Context& cx, const Request& rq, const Parameters& parameters,
                                                   FillTarget fill)
{
    Start start = cx.store.read([&](cache::Reader& db) { return load_start(db, parameters); });
    const bool newest_first = start.query.filter.order == cache::Order::last_chat_desc;
    if (!newest_first || start.unit == TimeUnit::unknown || start.lacks_variables) co_return std::nullopt;
    Request one = rq;
    std::optional<std::string> asked = start.cursor.upstream;
    for (int pages = 1;; ++pages) {
        one.target = target_behind(start, parameters, asked);
        FillTarget part = fill;
        Task<SharedReply> asking = forward_read(cx, one, std::move(part));
        SharedReply shared_reply = co_await std::move(asking);
        if (!is_page(shared_reply)) co_return shared_reply;
        Page page = read_page(cx.store, start, shared_reply.reply->body);
        if (pages < most_pages && turns_to_tail(start, page)) {
            asked.reset();
            continue;
        }
        if (!page.fresh.empty() || !page.cursor || pages == most_pages)
            co_return continued(start, shared_reply, page, asked);
        asked = std::move(page.cursor);
    }
}

} // namespace alli::proxy
