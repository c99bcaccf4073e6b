// SPDX-License-Identifier: Apache-2.0
#include "cache/list.hpp"

#include "cache/assemble.hpp"
#include "cache/list_plan.hpp"
#include "cache/progress.hpp"
#include "cache/variables.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

struct Place {
    std::int64_t pk;
    std::optional<Instant> when;
    std::string id;
};

void append(std::vector<Place>& places, Reader& db, const ListStatement& statement)
{
    for (const Row row : db.query_values(statement.sql, statement.values))
        places.push_back({row.integer(0), row.optional_instant(1), std::string(row.text(2))});
}

// One more than asked for, to know whether there is a next page. Rows with a time first, then those without.
std::vector<Place> find_places(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after,
                               const std::optional<Instant>& bound)
{
    std::vector<Place> places;
    places.reserve(static_cast<std::size_t>(page_size) + 1);
    if (!after || after->when) append(places, db, plan_list(db, filter, Part::timed, after, bound, page_size + 1));
    const int left = page_size + 1 - static_cast<int>(places.size());
    if (left > 0 && has_timeless(db, filter))
        append(places, db, plan_list(db, filter, Part::timeless, after, bound, left));
    return places;
}

void widen(ListPage& page, std::optional<Instant> last_chat)
{
    if (!last_chat) return;
    page.oldest = std::min(page.oldest.value_or(*last_chat), *last_chat);
    page.newest = std::max(page.newest.value_or(*last_chat), *last_chat);
}

void append_item(Reader& db, const Place& place, int embedded, std::span<const std::string> variables, ListPage& page)
{
    for (const Row row :
         db.query("SELECT pk, raw, chats_at, held, last_chat_at FROM conversation WHERE pk = ?1", place.pk)) {
        if (page.body.back() != '[') page.body += ',';
        append_conversation(db, row, embedded, page.body);
        if (variables.empty()) continue;
        widen(page, row.optional_instant(4));
        Instant verified_at = page.variables_at.value_or(Instant::max());
        if (append_variables(db, place.pk, row.text(1), variables, page.body, verified_at))
            page.variables_at = verified_at;
        else
            page.lacking.push_back({place.id});
    }
}

} // namespace

ListPage list_conversations(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after,
                            std::span<const std::string> variables)
{
    std::optional<Instant> bound;
    if (after)
        bound = after->bound;
    else if (!is_descending(filter.order))
        bound = newest(db, filter.order);

    std::vector<Place> places = find_places(db, filter, page_size, after, bound);
    ListPage page;
    if (places.size() > static_cast<std::size_t>(page_size)) {
        places.pop_back();
        page.next = ListKey{places.back().when, places.back().id, bound};
    }
    const int embedded = load_progress(db).list_embeds.value_or(0);
    page.body = "{\"conversations\":[";
    for (const Place& place : places) append_item(db, place, embedded, variables, page);
    return page;
}

} // namespace alli::cache
