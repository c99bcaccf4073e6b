// SPDX-License-Identifier: Apache-2.0
// SQLite as a typed cursor. A Connection owns its prepared statements and finds them again by their text. Used by one
// thread at a time. Throws Error: disk_full, damaged, busy or io, each naming the file. The connection that writes is
// in cache/db/writer.hpp.
#pragma once

#include "alli/instant.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace alli::cache {

class Connection;

/// The current row of a query. Views are valid until the next row.
class Row {
  public:
    explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

    bool is_null(int column) const noexcept;
    std::int64_t integer(int column) const noexcept;
    double real(int column) const noexcept;
    std::string_view text(int column) const noexcept;
    std::optional<std::int64_t> optional_integer(int column) const noexcept;
    std::optional<std::string> optional_text(int column) const;
    std::optional<Instant> optional_instant(int column) const noexcept;

    /// A column as a number, text, an instant, an id made of text, or an optional of these.
    template <class T>
    T get(int column) const;

  private:
    sqlite3_stmt* statement_;
};

namespace detail {
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

template <class T, std::size_t... I>
T read_columns(const Row& row, std::index_sequence<I...>)
{
    return T{row.get<std::tuple_element_t<I, T>>(static_cast<int>(I))...};
}

/// The first column, or of a tuple the columns in order.
template <class T>
T read_row(const Row& row)
{
    if constexpr (is_tuple<T>)
        return read_columns<T>(row, std::make_index_sequence<std::tuple_size_v<T>>());
    else
        return row.get<T>(0);
}
} // namespace detail

template <class T>
T Row::get(int column) const
{
    if constexpr (detail::is_optional<T>)
        return is_null(column) ? T() : T(get<typename T::value_type>(column));
    else if constexpr (std::same_as<T, Instant>)
        return Instant{std::chrono::microseconds{integer(column)}};
    else if constexpr (std::same_as<T, bool>)
        return integer(column) != 0;
    else if constexpr (std::integral<T>)
        return static_cast<T>(integer(column));
    else if constexpr (std::floating_point<T>)
        return real(column);
    else
        return T{std::string(text(column))};
}

template <class F>
concept RowReader = std::invocable<F&, const Row&>;

/// The rows of a running statement; resets it when it goes (or ends it, where it is its own). `for (Row row :
/// db.query(...))`.
class Rows {
  public:
    Rows(Connection& db, sqlite3_stmt* statement, bool own = false) : db_(&db), statement_(statement), own_(own) {}
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;
    ~Rows();

    bool step(); // to the next row; false after the last
    Row row() const noexcept { return Row(statement_); }

    struct End {};
    struct Iterator {
        Rows* rows;
        bool more;
        bool operator!=(End) const noexcept { return more; }
        void operator++() { more = rows->step(); }
        Row operator*() const noexcept { return rows->row(); }
    };
    Iterator begin() { return {this, step()}; }
    End end() const noexcept { return {}; }

  private:
    Connection* db_;
    sqlite3_stmt* statement_;
    bool own_;
};

// What may be bound: integers, doubles, text, instants (as microseconds), null. query() copies text, because its rows
// may outlive the arguments; the functions that finish the statement themselves borrow it.
enum class Hold { copy, borrow };
namespace bind {
void value(sqlite3_stmt* statement, int index, std::int64_t value, Hold);
void value(sqlite3_stmt* statement, int index, double value, Hold);
void value(sqlite3_stmt* statement, int index, std::string_view value, Hold);
void value(sqlite3_stmt* statement, int index, std::nullopt_t, Hold);
inline void value(sqlite3_stmt* s, int i, int v, Hold h)
{
    value(s, i, static_cast<std::int64_t>(v), h);
}
inline void value(sqlite3_stmt* s, int i, bool v, Hold h)
{
    value(s, i, static_cast<std::int64_t>(v), h);
}
inline void value(sqlite3_stmt* s, int i, const char* v, Hold h)
{
    value(s, i, std::string_view(v), h);
}
inline void value(sqlite3_stmt* s, int i, const std::string& v, Hold h)
{
    value(s, i, std::string_view(v), h);
}
inline void value(sqlite3_stmt* s, int i, Instant v, Hold h)
{
    value(s, i, static_cast<std::int64_t>(v.time_since_epoch().count()), h);
}
template <class T>
void value(sqlite3_stmt* s, int i, const std::optional<T>& v, Hold h)
{
    if (v)
        value(s, i, *v, h);
    else
        value(s, i, std::nullopt, h);
}
} // namespace bind

using Value = std::variant<std::int64_t, std::string>;

enum class Access { read, write };

inline constexpr std::chrono::milliseconds busy_wait{5000}; // for another connection, before Error{busy}

class Connection {
  public:
    /// Opens (for write: creates, mode 0600) and sets it up as docs/decisions/0004 says. `synchronous`: "NORMAL" or
    /// "FULL".
    Connection(const std::string& path, Access access, std::string_view synchronous = "NORMAL");
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `sql` is prepared once a connection and text.
    template <class... Args>
    Rows query(std::string_view sql, const Args&... args)
    {
        return Rows(*this, bound(sql, Hold::copy, args...));
    }

    /// For statements put together from filters: as many values as there are parameters. There may be thousands of
    /// those: beyond a few hundred they are not kept.
    Rows query_values(std::string_view sql, std::span<const Value> values);

    /// The first row as a T, or as what `read` makes of it. None: there is no row, or null in its only column.
    template <class T, class... Args>
    std::optional<T> one(std::string_view sql, const Args&... args)
    {
        Rows rows(*this, bound(sql, Hold::borrow, args...));
        if (!rows.step()) return std::nullopt;
        if constexpr (!detail::is_tuple<T> && !detail::is_optional<T>)
            if (rows.row().is_null(0)) return std::nullopt;
        return detail::read_row<T>(rows.row());
    }
    template <RowReader F, class... Args>
    auto one(F read, std::string_view sql, const Args&... args) -> std::optional<std::invoke_result_t<F&, const Row&>>
    {
        Rows rows(*this, bound(sql, Hold::borrow, args...));
        if (!rows.step()) return std::nullopt;
        return read(rows.row());
    }

    /// Of a query that always has a row, as a count or a pragma.
    template <class T, class... Args>
    T require(std::string_view sql, const Args&... args)
    {
        Rows rows(*this, bound(sql, Hold::borrow, args...));
        if (!rows.step()) throw std::logic_error("a query that always has a row had none");
        return detail::read_row<T>(rows.row());
    }

    /// Every row as a T, or as what `read` makes of it.
    template <class T, class... Args>
    std::vector<T> all(std::string_view sql, const Args&... args)
    {
        return all(&detail::read_row<T>, sql, args...);
    }
    template <RowReader F, class... Args>
    auto all(F read, std::string_view sql, const Args&... args) -> std::vector<std::invoke_result_t<F&, const Row&>>
    {
        std::vector<std::invoke_result_t<F&, const Row&>> found;
        for (Rows rows(*this, bound(sql, Hold::borrow, args...)); rows.step();) found.push_back(read(rows.row()));
        return found;
    }

    /// Whether there is a row.
    template <class... Args>
    bool exists(std::string_view sql, const Args&... args)
    {
        return Rows(*this, bound(sql, Hold::borrow, args...)).step();
    }

    /// Runs to the end and returns how many rows it changed.
    template <class... Args>
    std::int64_t run(std::string_view sql, const Args&... args)
    {
        Rows rows(*this, bound(sql, Hold::borrow, args...));
        while (rows.step()) {
        }
        return changes();
    }

    void script(const std::string& sql); // several statements, no arguments

    /// Statements end with Error{canceled} once `stopping` says so; it is asked often, on the thread that runs them.
    void interrupt_when(std::function<bool()> stopping);

    /// From any other thread, while nobody closes it: the statements that run now end with Error{canceled}.
    void interrupt() noexcept;

    /// Counts the steps of SQLite's machine from now on, for tests of what a read costs; not with interrupt_when().
    void count_steps() noexcept;
    std::uint64_t steps() const noexcept { return steps_; }

    std::int64_t changes() const noexcept;
    std::int64_t total_changes() const noexcept;
    std::int64_t last_rowid() const noexcept;
    const std::string& path() const noexcept { return path_; }
    sqlite3* handle() const noexcept { return db_; }

    [[noreturn]] void fail(int code) const;

  private:
    sqlite3_stmt* prepare(std::string_view sql);
    sqlite3_stmt* compile(std::string_view sql, bool to_keep) const;

    template <class... Args>
    sqlite3_stmt* bound(std::string_view sql, [[maybe_unused]] Hold hold, const Args&... args)
    {
        sqlite3_stmt* statement = prepare(sql);
        [[maybe_unused]] int index = 0;
        (bind::value(statement, ++index, args, hold), ...);
        return statement;
    }

    std::string path_;
    sqlite3* db_ = nullptr;
    std::function<bool()> stopping_;
    std::uint64_t steps_ = 0;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> statements_;
};

/// What a read gets: query() alone is of use on it, its file is open read-only.
using Reader = Connection;

class Writer; // cache/db/writer.hpp

} // namespace alli::cache
