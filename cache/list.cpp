// SPDX-License-Identifier: Apache-2.0
#include "cache/list.hpp"

#include "cache/assemble.hpp"
#include "cache/progress.hpp"

#include <spdlog/fmt/fmt.h>

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

const OrderRow& row_of(Order order)
{
    return orders[static_cast<std::size_t>(order)];
}

std::int64_t micros(Instant when)
{
    return when.time_since_epoch().count();
}

/// A WHERE clause that grows, with its values.
class Where {
  public:
    void add(std::string_view condition) { text_ += text_.empty() ? " WHERE " : " AND ", text_ += condition; }

    void add(std::string_view condition, Value value)
    {
        add(condition);
        values_.push_back(std::move(value));
    }

    void add_if(std::string_view condition, const std::optional<Instant>& when)
    {
        if (when) add(condition, micros(*when));
    }

    void push(Value value) { values_.push_back(std::move(value)); }
    const std::string& text() const noexcept { return text_; }
    std::span<const Value> values() const noexcept { return values_; }

  private:
    std::string text_;
    std::vector<Value> values_;
};

void add_users(Where& where, const std::vector<std::string>& users)
{
    if (users.empty()) return;
    std::string marks;
    for (std::size_t i = 0; i < users.size(); ++i) marks += i == 0 ? "?" : ", ?";
    where.add("user_id IN (" + marks + ")");
    for (const std::string& user : users) where.push(user);
}

Where filtered(const ListFilter& filter)
{
    Where where;
    add_users(where, filter.user_ids);
    if (filter.app_id) where.add("app_id = ?", *filter.app_id);
    if (filter.category_id)
        where.add("EXISTS (SELECT 1 FROM category WHERE name = ? AND category.conversation = conversation.pk)",
                  *filter.category_id);
    where.add_if("last_chat_at > ?", filter.started_at);
    where.add_if("last_chat_at < ?", filter.end_at);
    where.add_if("first_chat_at > ?", filter.first_started_at);
    where.add_if("first_chat_at < ?", filter.first_end_at);
    if (filter.active_only) where.add("is_end = 0");
    return where;
}

std::optional<Instant> newest(Reader& db, std::string_view column)
{
    Rows rows = db.query(fmt::format("SELECT max({}) FROM conversation", column));
    rows.step();
    return rows.row().optional_instant(0);
}

/// One page in the making: rows with a time first, then those without, until it holds one more than asked for.
class PageBuilder {
  public:
    PageBuilder(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after)
        : db_(db), filter_(filter), order_(row_of(filter.order)), size_(page_size), after_(after),
          embedded_(load_progress(db).list_embeds.value_or(0))
    {
        if (after)
            bound_ = after->bound;
        else if (!order_.descending)
            bound_ = newest(db, order_.column);
    }

    ListPage build()
    {
        if (!after_ || after_->when) take_timed();
        if (!full()) take_timeless();
        return std::move(page_);
    }

  private:
    bool full() const { return page_.next.has_value(); }

    void take_timed()
    {
        Where where = filtered(filter_);
        where.add(fmt::format("{} IS NOT NULL", order_.column));
        if (bound_) where.add(fmt::format("{} <= ?", order_.column), micros(*bound_));
        if (after_) {
            where.add(fmt::format("({}, id) {} (?, ?)", order_.column, order_.descending ? '<' : '>'),
                      micros(*after_->when));
            where.push(after_->id);
        }
        take(where, fmt::format(" ORDER BY {0} {1}, id {1}", order_.column, order_.descending ? "DESC" : "ASC"));
    }

    void take_timeless()
    {
        Where where = filtered(filter_);
        where.add(fmt::format("{} IS NULL", order_.column));
        if (after_ && !after_->when) where.add(order_.descending ? "id < ?" : "id > ?", after_->id);
        take(where, fmt::format(" ORDER BY id {}", order_.descending ? "DESC" : "ASC"));
    }

    void take(const Where& where, const std::string& order)
    {
        const std::string sql =
            fmt::format("SELECT pk, raw, chats_at, held, {}, id FROM conversation{}{} LIMIT {}", order_.column,
                        where.text(), order, size_ + 1 - static_cast<int>(page_.items.size()));
        for (const Row row : db_.query_values(sql, where.values())) {
            if (page_.items.size() == static_cast<std::size_t>(size_)) {
                page_.next = last_;
                return;
            }
            page_.items.push_back(assemble(db_, row, embedded_));
            last_ = ListKey{row.optional_instant(4), std::string(row.text(5)), bound_};
        }
    }

    Reader& db_;
    const ListFilter& filter_;
    const OrderRow& order_;
    int size_;
    const std::optional<ListKey>& after_;
    int embedded_;
    std::optional<Instant> bound_;
    ListPage page_;
    ListKey last_;
};

} // namespace

ListPage list_conversations(Reader& db, const ListFilter& filter, int page_size, const std::optional<ListKey>& after)
{
    return PageBuilder(db, filter, page_size, after).build();
}

} // namespace alli::cache
