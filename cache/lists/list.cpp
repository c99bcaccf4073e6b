// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/list.hpp"

#include "alli/quick_hash.hpp"
#include "cache/lists/list_plan.hpp"
#include "cache/lists/reach.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/progress.hpp"
#include "cache/rows/variables.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

struct ListRow {
    std::int64_t pk;
    std::optional<Instant> when;
    std::string id;
};

void append(std::vector<ListRow>& found, Reader& db, const ListStatement& statement)
{
    for (const Row row : db.query_values(statement.sql, statement.values))
        found.push_back({row.integer(0), row.optional_instant(1), std::string(row.text(2))});
}

// The parts of a list, in their order.
std::span<const Part> parts_of(ChatlessPlace place)
{
    static constexpr std::array parts{Part::timeless, Part::timed, Part::timeless};
    const std::span<const Part> all(parts);
    if (place == ChatlessPlace::first) return all.first(2);
    return place == ChatlessPlace::nowhere ? all.subspan(1, 1) : all.subspan(1, 2);
}

Part part_of(const ListKey& key) noexcept
{
    return key.when ? Part::timed : Part::timeless;
}

struct FoundRows {
    std::vector<ListRow> rows;
    bool open = false; // what comes behind them is not known
};

/// One page's rows, part for part.
class Collector {
  public:
    Collector(Reader& db, const ListFilter& filter, const std::optional<ListKey>& after, const Reach& reach)
        : db_(db), filter_(filter), after_(after), reach_(reach)
    {}

    /// At most `limit` rows.
    FoundRows collect(std::span<const Part> parts, const std::optional<Instant>& bound, std::size_t limit)
    {
        bool behind = !after_; // whether a part lies behind where the page before ended
        for (const Part part : parts) {
            const bool within = after_ && part == part_of(*after_);
            if (!behind && !within) continue;
            behind = true;
            if (found_.open || found_.rows.size() >= limit) break;
            read(part, within, bound, limit);
        }
        return std::move(found_);
    }

  private:
    void read(Part part, bool within, const std::optional<Instant>& bound, std::size_t limit)
    {
        if (part == Part::timeless && !may_have_timeless(filter_)) return;
        if (part == Part::timeless && !reach_.chatless) found_.open = true;
        if (part == Part::timeless && (found_.open || !has_timeless(db_, filter_))) return;
        const std::size_t before = within ? after_->shown.size() : 0;
        const int wanted = static_cast<int>(limit - found_.rows.size() + before);
        append(found_.rows, db_, plan_list(db_, filter_, part, after_, bound, wanted, reach_.floor));
        if (before > 0) drop_shown(limit);
        if (part == Part::timed && reach_.floor && found_.rows.size() < limit) found_.open = true;
    }

    void drop_shown(std::size_t limit)
    {
        const auto& shown = after_->shown;
        std::erase_if(found_.rows, [&](const ListRow& row) {
            return row.when == after_->when && std::find(shown.begin(), shown.end(), quick_hash(row.id)) != shown.end();
        });
        if (found_.rows.size() > limit) found_.rows.resize(limit);
    }

    Reader& db_;
    const ListFilter& filter_;
    const std::optional<ListKey>& after_;
    const Reach& reach_;
    FoundRows found_;
};

ListKey key_at(const ListRow& row, const std::optional<ListKey>& after, const std::optional<Instant>& bound,
               ChatlessPlace place)
{
    ListKey key{row.when, row.id, bound, place};
    if (after && after->when == row.when) key.shown = after->shown;
    return key;
}

ListPage no_rows()
{
    ListPage page;
    page.body = "{\"conversations\":[";
    return page;
}

// Of a page's bytes, so that it is not copied with each doubling.
std::size_t usual_item(int embedded)
{
    return 700 + 250 * static_cast<std::size_t>(embedded);
}

void widen(ListPage& page, std::optional<Instant> last_chat)
{
    if (!last_chat) return;
    page.oldest = std::min(page.oldest.value_or(*last_chat), *last_chat);
    page.newest = std::max(page.newest.value_or(*last_chat), *last_chat);
}

void append_item(Reader& db, const ListRow& place, int embedded, std::span<const std::string> variables, ListPage& page)
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

ListPage list_conversations(Reader& db, const ListFilter& asked, int page_size, const std::optional<ListKey>& after,
                            std::span<const std::string> variables, Extent extent)
{
    const std::optional<ListFilter> in_view = asked.visible.is_whole() ? std::nullopt : within_view(asked);
    if (!in_view && !asked.visible.is_whole()) return no_rows();
    const ListFilter& filter = in_view ? *in_view : asked;
    std::optional<Instant> bound;
    if (after)
        bound = after->bound;
    else if (!is_descending(filter.order))
        bound = newest(db, filter.order, filter.visible);

    const Progress progress = load_progress(db);
    const ChatlessPlace place = after ? after->chatless : find_chatless_place(db, filter.order);
    Reach reach;
    if (extent == Extent::decided) reach = find_reach(db, progress, filter, after, place);
    ListPage page;
    page.decided = false;
    if (!reach.any) return page;

    const auto size = static_cast<std::size_t>(page_size);
    Collector collector(db, filter, after, reach);
    auto [found, open] = collector.collect(parts_of(place), bound, size + 1); // one more tells of a next page
    page.decided = !open || found.size() >= size;
    if (!page.decided) return page;
    const bool more = open || found.size() > size;
    if (found.size() > size) found.pop_back();
    if (more) page.next = key_at(found.back(), after, bound, place);

    const int embedded = progress.list_embeds.value_or(0);
    page.body.reserve(found.size() * usual_item(embedded));
    page.body = "{\"conversations\":[";
    for (const ListRow& row : found) append_item(db, row, embedded, variables, page);
    if (page.body.capacity() > 2 * page.body.size()) page.body.shrink_to_fit(); // it may be kept for long
    return page;
}

} // namespace alli::cache
