// SPDX-License-Identifier: Apache-2.0
#include "sandbox/list.hpp"

#include "sandbox/cursor.hpp"
#include "sandbox/encoding.hpp"
#include "sandbox/filter.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <functional>

namespace alli::sandbox {
namespace {

struct Order {
    std::string_view name;
    char letter;
    bool by_last_chat;
    bool descending;
};

constexpr auto orders = std::to_array<Order>({
    {"LAST_CHAT_TIME_DESC", 'a', true, true}, // the default
    {"LAST_CHAT_TIME_ASC", 'b', true, false},
    {"CREATED_AT_DESC", 'c', false, true},
    {"CREATED_AT_ASC", 'd', false, false},
});

const Order& read_order(const Query& query, bool refuse_others)
{
    const auto name = query.find("order").value_or(std::string{orders.front().name});
    const auto found =
        std::find_if(orders.begin(), orders.end(), [&](const Order& order) { return order.name == name; });
    if (found == orders.end() || (refuse_others && found != orders.begin()))
        bad_parameter("order {} is not known", name);
    return *found;
}

bool puts_undated_first(const Order& order, Chatless chatless)
{
    return order.by_last_chat && chatless == (order.descending ? Chatless::newest : Chatless::oldest);
}

// All conversations in one order, by place: the dated ones, and before or behind them those without a date.
class Row {
  public:
    Row(const World& world, const Order& order, Chatless chatless)
        : dated_(order.by_last_chat ? world.by_last_chat() : world.by_created()),
          undated_(order.by_last_chat && chatless != Chatless::nowhere ? world.without_chat() : none),
          descending_(order.descending), dated_from_(puts_undated_first(order, chatless) ? undated_.size() : 0),
          undated_from_(dated_from_ > 0 ? 0 : dated_.size())
    {}

    std::size_t size() const { return dated_.size() + undated_.size(); }

    const IndexEntry& operator[](std::size_t place) const
    {
        const Index& index = is_dated(place) ? dated_ : undated_;
        const std::size_t at = place - (is_dated(place) ? dated_from_ : undated_from_);
        return index[descending_ ? index.size() - 1 - at : at];
    }

    bool is_dated(std::size_t place) const { return place >= dated_from_ && place < dated_from_ + dated_.size(); }

    // The first place behind a key.
    std::size_t after(std::optional<Instant> at, const std::string& id) const
    {
        const Index& index = at ? dated_ : undated_;
        Conversation key;
        key.id = id;
        const IndexEntry entry{at.value_or(Instant{}), &key};
        const std::size_t base = at ? dated_from_ : undated_from_;
        if (descending_) {
            const auto bound = std::lower_bound(index.begin(), index.end(), entry);
            return base + static_cast<std::size_t>(index.end() - bound);
        }
        return base + static_cast<std::size_t>(std::upper_bound(index.begin(), index.end(), entry) - index.begin());
    }

    // The places whose time is in the window; all of them for an open one.
    std::pair<std::size_t, std::size_t> within(const Window& window) const
    {
        if (window.open()) return {0, size()};
        const auto early = [&](const IndexEntry& entry) { return window.too_early(entry.at); };
        const auto in_time = [&](const IndexEntry& entry) { return !window.too_late(entry.at); };
        const auto first = std::partition_point(dated_.begin(), dated_.end(), early) - dated_.begin();
        const auto last = std::partition_point(dated_.begin(), dated_.end(), in_time) - dated_.begin();
        const auto low = static_cast<std::size_t>(first), high = static_cast<std::size_t>(std::max(first, last));
        if (!descending_) return {dated_from_ + low, dated_from_ + high};
        return {dated_from_ + dated_.size() - high, dated_from_ + dated_.size() - low};
    }

  private:
    static inline const Index none;

    const Index& dated_;
    const Index& undated_;
    bool descending_;
    std::size_t dated_from_, undated_from_;
};

struct Page {
    std::vector<const Conversation*> conversations;
    std::optional<Cursor> next;
};

struct Listing {
    const Order& order;
    Filter filter;
    std::size_t size;
    Cursor from;
};

// Where this page begins, within [place, end).
std::size_t begin_at(const Row& row, const Listing& listing, std::size_t place, std::size_t end)
{
    const Cursor& from = listing.from;
    if (from.position < 0) return from.id.empty() ? place : std::max(place, row.after(from.at, from.id));

    auto passed = static_cast<std::size_t>(from.position);
    if (listing.filter.only_by_last_chat() && (listing.order.by_last_chat || listing.filter.last_chat.open()))
        return std::min(place + passed, end);
    for (; place < end && passed > 0; ++place)
        if (listing.filter.matches(*row[place].conversation)) --passed;
    return place;
}

Page find_page(const Row& row, const Listing& listing, bool by_position)
{
    auto [place, end] = listing.order.by_last_chat ? row.within(listing.filter.last_chat) : row.within(Window{});
    Page page;
    std::size_t last = 0;
    for (place = begin_at(row, listing, place, end); place < end; ++place) {
        if (!listing.filter.matches(*row[place].conversation)) continue;
        if (page.conversations.size() == listing.size) break;
        page.conversations.push_back(row[place].conversation);
        last = place;
    }
    if (place >= end) return page;

    page.next = Cursor{.order = listing.order.letter};
    if (by_position) {
        page.next->position = std::max<std::int64_t>(listing.from.position, 0) + std::ssize(page.conversations);
    } else {
        if (row.is_dated(last)) page.next->at = row[last].at;
        page.next->id = row[last].conversation->id;
    }
    return page;
}

Cursor read_start(const Query& query, const Order& order)
{
    const auto text = query.find("cursor");
    if (!text || text->empty()) return Cursor{.order = order.letter};
    auto cursor = read_cursor(*text);
    if (!cursor || cursor->order != order.letter) bad_parameter("cursor is not valid");
    return std::move(*cursor);
}

// Every third place or so, always the same ones, and never twice in a row.
bool empty_here(const Options& options, const Cursor& from)
{
    if (!options.empty_pages || from.after_empty_page) return false;
    return (std::hash<std::string>{}(from.text()) ^ options.seed) % 3 == 0;
}

std::string empty_page(Cursor from)
{
    from.after_empty_page = true;
    return fmt::format(R"({{"conversations":[],"cursor":"{}"}})", from.text());
}

} // namespace

void append_conversation(std::string& out, const Conversation& conversation, std::size_t embedded,
                         const std::vector<std::string>& variables)
{
    out += conversation.head;
    out += conversation.last_chats(embedded);
    out += conversation.tail;
    if (!variables.empty()) {
        Json asked = Json::object();
        for (const std::string& name : variables)
            if (const auto found = conversation.variables.find(name); found != conversation.variables.end())
                asked[name] = *found;
        out += R"(,"variables":)" + asked.dump();
    }
    out.push_back('}');
}

std::string list_page(const World& world, const Options& options, const Query& query)
{
    const Order& order = read_order(query, options.refuse_orders);
    const auto size = static_cast<std::size_t>(query.number("pageSize", 50, 1, 50));
    const Listing listing{order, Filter{query, world.scale(), options.bounds_inclusive}, size,
                          read_start(query, order)};
    if (empty_here(options, listing.from)) return empty_page(listing.from);

    const Page page = find_page(Row{world, order, options.chatless}, listing, options.cursor == CursorKind::position);
    const auto variables = query.all("variables");
    const auto embedded = static_cast<std::size_t>(std::clamp(options.embedded_chats, 0, 20));
    std::size_t bytes = 64;
    for (const Conversation* c : page.conversations)
        bytes += c->head.size() + c->last_chats(embedded).size() + c->tail.size() + 2;

    std::string out;
    out.reserve(bytes);
    out += R"({"conversations":[)";
    for (const Conversation* conversation : page.conversations) {
        if (out.back() != '[') out.push_back(',');
        append_conversation(out, *conversation, embedded, variables);
    }
    out += page.next ? fmt::format(R"(],"cursor":"{}"}})", page.next->text()) : R"(],"cursor":null})";
    return out;
}

} // namespace alli::sandbox
