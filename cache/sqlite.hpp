// SPDX-License-Identifier: Apache-2.0
// SQLite as a typed cursor: the only include of sqlite3.h. A Reader is one connection and its prepared statements,
// found again by the address of their SQL literal; a Writer is the same inside a transaction. Used by one thread at a
// time. Throws Error: disk_full, damaged, busy or io, each naming the file.
#pragma once

#include "alli/instant.hpp"
#include "cache/row_changes.hpp"
#include "cache/touched.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

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

  private:
    sqlite3_stmt* statement_;
};

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

// What may be bound: integers, doubles, text, instants (as microseconds), null. A query's text is copied, for its rows
// may outlive the arguments; run() is over before they go, and borrows.
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

struct PagePart { // bytes
    std::size_t from = 0, size = 0;
};
using FindPart = PagePart (*)(std::span<const unsigned char> page, std::int64_t number);

class IndexBatch; // cache/index.hpp

/// What a write gets: inside a transaction that the store commits when the function returns and rolls back when it
/// throws. The rest is for the store's committing thread alone.
class Writer : public Connection {
  public:
    explicit Writer(const std::string& path, std::string_view synchronous = "NORMAL");
    ~Writer();

    /// What this transaction changes in the index of words, where it is not written yet. Whoever reads the index on
    /// this connection flushes it before.
    IndexBatch& words() noexcept { return *words_; }

    bool in_transaction() const noexcept; // a full disk may have ended it
    void commit();                        // with the words and the totals
    void roll_back() noexcept;            // whatever is open; nothing when nothing is

    enum class Checkpoint { passive, restart, truncate };
    /// False: readers were in the way of `restart` or `truncate` for as long as `wait`. A passive one waits for none.
    bool checkpoint(Checkpoint how, std::chrono::milliseconds wait = busy_wait) noexcept;
    int pages_in_log() const noexcept { return in_log_; } // as the last checkpoint found it, and how far it came
    int pages_checkpointed() const noexcept { return checkpointed_; }
    /// Overwrites with zeros the part of each page that `find` names, in the file itself, past the log: for bytes that
    /// belong to no row. For right after a truncating checkpoint. Where to go on; none: that was the end.
    std::optional<std::int64_t> overwrite(std::int64_t first, std::int64_t count, FindPart find);
    int log_pages() const noexcept { return log_pages_; } // since the last checkpoint, as of the last commit

    Touched& touched() noexcept { return touched_; }            // since whoever commits cleared it
    RowChanges& row_changes() noexcept { return row_changes_; } // of the transaction; commit() writes them

  private:
    int log_pages_ = 0, in_log_ = 0, checkpointed_ = 0;
    Touched touched_;
    RowChanges row_changes_;
    std::unique_ptr<IndexBatch> words_;
};

/// For whoever owns the connection and is in none yet: while opening, above all.
template <class F>
void in_transaction(Writer& db, F work)
{
    db.script("BEGIN IMMEDIATE");
    try {
        work();
        db.commit();
    } catch (...) {
        db.roll_back();
        throw;
    }
}

} // namespace alli::cache
