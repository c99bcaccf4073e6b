// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/list_plan.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

struct OrderRow {
    Order order;
    std::string_view column;
    bool descending;
};
constexpr std::array orders{
    OrderRow{Order::last_chat_desc, "last_chat_at", true},
    OrderRow{Order::last_chat_asc, "last_chat_at", false},
    OrderRow{Order::created_desc, "created_at", true},
    OrderRow{Order::created_asc, "created_at", false},
};

static_assert([] {
    for (std::size_t i = 0; i < orders.size(); ++i)
        if (orders[i].order != static_cast<Order>(i)) return false;
    return true;
}());

const OrderRow& row_of(Order order) noexcept
{
    return orders[static_cast<std::size_t>(order)];
}

bool by_last_chat(const ListFilter& filter) noexcept
{
    return row_of(filter.order).column == "last_chat_at";
}

// Where a statement starts: `k` has the columns of the order, `c` those of the filters.
struct Driver {
    std::string_view from;
    std::string_view key;
    bool takes_category = false; // its key names the category
};
constexpr Driver by_user{"conversation AS c INDEXED BY conversation_by_user", "c"};
constexpr Driver by_app{"conversation AS c INDEXED BY conversation_by_app", "c"};
constexpr Driver by_category{"category AS k INDEXED BY category_by_last_chat CROSS JOIN conversation AS c"
                             " ON c.pk = k.conversation",
                             "k", true};
constexpr Driver by_state{"conversation AS c INDEXED BY conversation_active", "c"};
constexpr Driver by_first_chat{"conversation AS c INDEXED BY conversation_by_first_chat", "c"};
constexpr Driver by_time{"conversation AS c INDEXED BY conversation_by_last_chat", "c"};
constexpr Driver by_creation{"conversation AS c INDEXED BY conversation_by_creation", "c"};

std::int64_t micros(Instant when)
{
    return when.time_since_epoch().count();
}

/// A WHERE clause that grows, with its values. A fixed number of parameters for each of its parts: there must not be a
/// statement for every number of users.
class Where {
  public:
    void add(std::string_view condition) { text_ += text_.empty() ? " WHERE " : " AND ", text_ += condition; }

    template <class T>
    void add(std::string_view condition, T value)
    {
        add(condition);
        push(std::move(value));
    }

    void add_if(std::string_view condition, const std::optional<Instant>& when)
    {
        if (when) add(condition, micros(*when));
    }

    template <class T>
    void push(T value)
    {
        values_.emplace_back(std::move(value)); // a Value by way makes g++ 12 see one that is not initialised at -O2
    }
    const std::string& text() const noexcept { return text_; }
    std::vector<Value> take_values() noexcept { return std::move(values_); }

  private:
    std::string text_;
    std::vector<Value> values_;
};

// SQLite's JSON ends a text at a NUL: what it would find is another's.
std::string list_of(std::vector<std::string> users)
{
    std::erase_if(users, [](const std::string& user) { return user.find('\0') != user.npos; });
    return nlohmann::json(users).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add_users(Where& where, const std::vector<std::string>& users)
{
    if (users.size() == 1)
        where.add("c.user_id = ?", users.front());
    else if (!users.empty())
        where.add("c.user_id IN (SELECT value FROM json_each(?))", list_of(users));
}

// How many rows a part of the filter leaves, counted up to `few`: beyond it a walk in order meets them soon enough.
constexpr std::int64_t few = 2000;

template <class... Args>
bool is_few(Reader& db, std::string_view sql, const Args&... args)
{
    return db.require<std::int64_t>(sql, args..., few) < few;
}

bool few_of_users(Reader& db, const std::vector<std::string>& users)
{
    return is_few(db,
                  "SELECT count(*) FROM (SELECT 1 FROM conversation INDEXED BY conversation_by_user"
                  " WHERE user_id IN (SELECT value FROM json_each(?1)) LIMIT ?2)",
                  list_of(users));
}

bool few_of_app(Reader& db, const std::string& app)
{
    return is_few(db,
                  "SELECT count(*) FROM (SELECT 1 FROM conversation INDEXED BY conversation_by_app"
                  " WHERE app_id = ?1 LIMIT ?2)",
                  app);
}

bool few_in_category(Reader& db, const std::string& category)
{
    return is_few(db, "SELECT count(*) FROM (SELECT 1 FROM category WHERE name = ?1 LIMIT ?2)", category);
}

bool few_in_first_window(Reader& db, const ListFilter& filter)
{
    return is_few(db,
                  "SELECT count(*) FROM (SELECT 1 FROM conversation INDEXED BY conversation_by_first_chat"
                  " WHERE first_chat_at > ?1 AND first_chat_at < ?2 LIMIT ?3)",
                  filter.first_started_at.value_or(Instant::min()), filter.first_end_at.value_or(Instant::max()));
}

// What stands in the category's own index is enough: no row of the table is read for a filter.
bool only_category(const ListFilter& filter)
{
    return filter.user_ids.empty() && !filter.app_id && !filter.first_started_at && !filter.first_end_at &&
           filter.search_term.empty() && !filter.active_only;
}

bool only_state(const ListFilter& filter)
{
    return filter.user_ids.empty() && !filter.app_id && !filter.category_id && !filter.first_started_at &&
           !filter.first_end_at && filter.search_term.empty();
}

/// The index that leaves least to look through. In the order of last chat times, one that keeps the order where there
/// is one; else one that leaves few rows, which are sorted; else the order's own, which holds all that filters need.
const Driver& choose(Reader& db, const ListFilter& filter)
{
    if (by_last_chat(filter)) {
        if (filter.user_ids.size() == 1) return by_user;
        if (filter.category_id && !filter.category_also && only_category(filter)) return by_category;
        if (filter.app_id && filter.user_ids.empty() && filter.search_term.empty()) return by_app;
        if (filter.active_only && only_state(filter)) return by_state;
    }
    if (!filter.user_ids.empty() && few_of_users(db, filter.user_ids)) return by_user;
    if (filter.category_id && !filter.category_also && few_in_category(db, *filter.category_id)) return by_category;
    if (filter.app_id && few_of_app(db, *filter.app_id)) return by_app;
    if ((filter.first_started_at || filter.first_end_at) && few_in_first_window(db, filter)) return by_first_chat;
    // The terms of a search stand in one index alone.
    return by_last_chat(filter) || !filter.search_term.empty() ? by_time : by_creation;
}

void add_window(Where& where, std::string_view key, const ListFilter& filter)
{
    where.add_if(fmt::format("{}.last_chat_at > ?", key), filter.started_at);
    where.add_if(fmt::format("{}.last_chat_at < ?", key), filter.end_at);
    where.add_if("c.first_chat_at > ?", filter.first_started_at);
    where.add_if("c.first_chat_at < ?", filter.first_end_at);
}

Where filtered(const Driver& driver, const ListFilter& filter)
{
    Where where;
    add_users(where, filter.user_ids);
    if (filter.app_id) where.add("c.app_id = ?", *filter.app_id);
    if (filter.category_id && driver.takes_category) where.add("k.name = ?", *filter.category_id);
    add_window(where, driver.key, filter);
    if (filter.active_only) where.add("c.is_end = 0");
    if (!filter.search_term.empty()) where.add("has_term(?, c.title, c.user_name)", filter.search_term);
    if (filter.category_id && !driver.takes_category) {
        const char* other = filter.category_also ? ", ?" : "";
        where.add(fmt::format("EXISTS (SELECT 1 FROM category WHERE name IN (?{}) AND conversation = c.pk)", other),
                  *filter.category_id);
        if (filter.category_also) where.push(*filter.category_also);
    }
    return where;
}

void add_place(Where& where, const std::string& column, const std::string& id, const OrderRow& order,
               const std::optional<ListKey>& after, const std::optional<Instant>& bound)
{
    where.add(column + " IS NOT NULL");
    if (bound) where.add(column + " <= ?", micros(*bound));
    if (!after || !after->when) return; // behind those that have no time: all of these
    if (after->id.empty())
        return where.add(fmt::format("{} {} ?", column, order.descending ? "<=" : ">="), micros(*after->when));
    where.add(fmt::format("({}, {}) {} (?, ?)", column, id, order.descending ? '<' : '>'), micros(*after->when));
    where.push(after->id);
}

} // namespace

bool is_descending(Order order) noexcept
{
    return row_of(order).descending;
}

bool may_have_timeless(const ListFilter& filter)
{
    const bool window = filter.started_at || filter.end_at || filter.first_started_at || filter.first_end_at;
    return !window || !by_last_chat(filter);
}

bool has_timeless(Reader& db, const ListFilter& filter)
{
    if (!may_have_timeless(filter)) return false;
    return db.exists(by_last_chat(filter) ? "SELECT 1 FROM conversation WHERE last_chat_at IS NULL LIMIT 1"
                                          : "SELECT 1 FROM conversation WHERE created_at IS NULL LIMIT 1");
}

std::optional<ListFilter> within_view(const ListFilter& filter)
{
    const Visibility& visible = filter.visible;
    ListFilter narrowed = filter;
    if (!visible.app.empty()) {
        if (filter.app_id && *filter.app_id != visible.app) return std::nullopt;
        narrowed.app_id = visible.app;
    }
    if (!visible.user.empty()) {
        const auto& users = filter.user_ids;
        if (!users.empty() && std::find(users.begin(), users.end(), visible.user) == users.end()) return std::nullopt;
        narrowed.user_ids = {visible.user};
    }
    return narrowed;
}

std::optional<Instant> newest(Reader& db, Order order, const Visibility& visible)
{
    ListFilter in_view;
    in_view.visible = visible;
    in_view = within_view(in_view).value_or(in_view);
    Where where;
    add_users(where, in_view.user_ids);
    if (in_view.app_id) where.add("c.app_id = ?", *in_view.app_id);
    const std::string sql =
        fmt::format("SELECT max(c.{}) FROM conversation AS c{}", row_of(order).column, where.text());
    Rows rows = db.query_values(sql, where.take_values());
    rows.step();
    return rows.row().optional_instant(0);
}

ListStatement plan_list(Reader& db, const ListFilter& filter, Part part, const std::optional<ListKey>& after,
                        const std::optional<Instant>& bound, int limit, const std::optional<Instant>& floor)
{
    const OrderRow& order = row_of(filter.order);
    const Driver& driver = choose(db, filter);
    const std::string column = fmt::format("{}.{}", driver.key, order.column), id = fmt::format("{}.id", driver.key);
    const std::string_view direction = order.descending ? "DESC" : "ASC";
    Where where = filtered(driver, filter);
    if (part == Part::timed) {
        add_place(where, column, id, order, after, bound);
        where.add_if(column + " >= ?", floor);
    } else {
        where.add(column + " IS NULL");
        if (after && !after->when && !after->id.empty())
            where.add(fmt::format("{} {} ?", id, order.descending ? '<' : '>'), after->id);
    }
    ListStatement made;
    made.sql = fmt::format("SELECT c.pk, {0}, {1} FROM {2}{3} ORDER BY {0} {4}, {1} {4} LIMIT ?", column, id,
                           driver.from, where.text(), direction);
    where.push(std::int64_t{limit});
    made.values = where.take_values();
    return made;
}

} // namespace alli::cache
