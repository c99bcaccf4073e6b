// SPDX-License-Identifier: Apache-2.0
#include "cache/query/query.hpp"

#include "alli/clock.hpp"
#include "alli/process_memory.hpp"
#include "cache/query/query_error.hpp"
#include "cache/query/query_rules.hpp"
#include "cache/query/time_functions.hpp"
#include "cache/query/view_source.hpp"
#include "cache/query/view_tables.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <optional>

namespace alli::cache {
namespace {

struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

class Deadline {
  public:
    explicit Deadline(std::chrono::milliseconds timeout) : timeout_(timeout), begun_(clock_.steady()) {}

    bool is_over() const { return timeout_.count() > 0 && clock_.steady() - begun_ > timeout_; }
    void check() const
    {
        if (is_over())
            throw Error(
                Fault::canceled,
                "--timeout 10m gives it more; a condition on conversation_id, and fewer columns, make it faster",
                "the query took longer than {} s and was ended", std::chrono::duration<double>(timeout_).count());
    }

  private:
    SystemClock clock_;
    std::chrono::milliseconds timeout_;
    Clock::Steady begun_;
};

constexpr std::string_view no_memory = "out of memory"; // in SQLite's words
constexpr int steps_between_looks = 2'000;
constexpr std::int64_t longest_value = 256 << 20; // one alone must not be more than is looked for in time

/// What the process has in memory beyond what it had when the query began. SQLite's own limit needs its count of all
/// memory, which is off (cache/db/sqlite.cpp).
class MemoryLimit {
  public:
    explicit MemoryLimit(std::int64_t bytes) : bytes_(bytes), begun_(resident()) {}

    void check() const
    {
        if (bytes_ > 0 && resident() - begun_ > bytes_) throw Error(Fault::usage, "", "{}", no_memory);
    }

  private:
    static std::int64_t resident() { return read_process_memory().resident_bytes; }

    std::int64_t bytes_, begun_;
};

Cell cell_of(sqlite3_stmt* statement, int column)
{
    const auto bytes = [&] {
        const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
        return std::string(data ? data : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    };
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
        return sqlite3_column_double(statement, column);
    case SQLITE_TEXT:
        return bytes();
    case SQLITE_BLOB:
        return Blob{bytes()};
    default:
        return std::monostate();
    }
}

class ViewQuery {
  public:
    ViewQuery(std::unique_ptr<Reader> mirror, const Zone& zone, const QueryBounds& bounds)
        : bounds_(bounds), deadline_(bounds.timeout), memory_(bounds.bytes), zone_(zone),
          source_(std::move(mirror), [this] { deadline_.check(); })
    {
        const int code = sqlite3_open_v2(":memory:", &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
        try {
            require(code);
            sqlite3_extended_result_codes(db_, 1);
            require(sqlite3_exec(db_, "PRAGMA temp_store = MEMORY", nullptr, nullptr, nullptr));
            require(register_views(db_, source_));
            require(register_time_functions(db_, zone_));
            restrict_to_views(db_, refused_);
            sqlite3_progress_handler(db_, steps_between_looks, &progress, this);
            if (bounds.bytes > 0)
                sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(bounds.bytes, longest_value)));
        } catch (...) {
            sqlite3_close_v2(db_);
            throw;
        }
    }
    ~ViewQuery() { sqlite3_close_v2(db_); }
    ViewQuery(const ViewQuery&) = delete;
    ViewQuery& operator=(const ViewQuery&) = delete;

    QueryEnd run(const std::string& sql, const QueryOutput& output)
    {
        const Statement statement = prepare(sql);
        const int columns = sqlite3_column_count(statement.get());
        std::vector<std::string> names;
        for (int at = 0; at < columns; ++at) names.emplace_back(sqlite3_column_name(statement.get(), at));
        output.head(names);
        QueryEnd end;
        std::vector<Cell> row(names.size());
        while (step(statement.get(), sql)) {
            end.cut = bounds_.rows > 0 && end.rows == bounds_.rows;
            if (end.cut) break;
            for (int at = 0; at < columns; ++at) row[static_cast<std::size_t>(at)] = cell_of(statement.get(), at);
            output.row(row);
            ++end.rows;
        }
        return end;
    }

  private:
    void require(int code) const
    {
        if (code != SQLITE_OK)
            throw Error(Fault::io, "this is a fault of the program, or the system ran out of memory",
                        "cannot make the views: {}", db_ ? sqlite3_errmsg(db_) : sqlite3_errstr(code));
    }

    static int progress(void* self)
    {
        auto& query = *static_cast<ViewQuery*>(self);
        try {
            query.deadline_.check();
            query.memory_.check();
            query.source_.release_old();
            return 0;
        } catch (...) {
            query.source_.failure = std::current_exception();
            return 1;
        }
    }

    // The mirror is read within the same bound of memory.
    [[noreturn]] void rethrow(const std::string& sql) const
    {
        try {
            std::rethrow_exception(source_.failure);
        } catch (const Error& error) {
            if (std::string_view(error.what()).find(no_memory) == std::string_view::npos) throw;
            throw query_error(std::string(no_memory), sql, -1, "");
        }
    }

    [[noreturn]] void fail(const std::string& sql)
    {
        if (source_.failure) rethrow(sql);
        const int offset = sqlite3_error_offset(db_);
        throw query_error(sqlite3_errmsg(db_), sql, offset, refused_);
    }

    Statement compile(const std::string& sql, const char*& tail)
    {
        sqlite3_stmt* made = nullptr;
        const auto left = static_cast<int>(sql.c_str() + sql.size() - tail);
        const int code = sqlite3_prepare_v3(db_, tail, left, 0, &made, &tail);
        Statement statement(made);
        if (code != SQLITE_OK) fail(sql);
        return statement;
    }

    // True for blanks, semicolons and comments alone, which are no statement.
    bool is_over(const std::string& sql, const char* tail)
    {
        while (tail != sql.c_str() + sql.size()) {
            const char* const from = tail;
            sqlite3_stmt* made = nullptr;
            const int code =
                sqlite3_prepare_v3(db_, from, static_cast<int>(sql.c_str() + sql.size() - from), 0, &made, &tail);
            const Statement another(made);
            if (code != SQLITE_OK || another) return false;
            if (tail == from) return true;
        }
        return true;
    }

    Statement prepare(const std::string& sql)
    {
        if (sql.find('\0') != sql.npos)
            throw Error(Fault::usage, "is it a text file?", "the statement holds a zero byte");
        const char* tail = sql.c_str();
        Statement statement = compile(sql, tail);
        if (!statement)
            throw Error(Fault::usage, fmt::format("there are {}: {}", names_of_views(), example_statement),
                        "there is no statement");
        if (!is_over(sql, tail))
            throw Error(Fault::usage, "run each by itself; what belongs together can be joined by UNION ALL or WITH",
                        "there is more than one statement");
        if (sqlite3_column_count(statement.get()) == 0)
            throw query_error("", sql, -1, "a statement that gives no rows");
        if (sqlite3_bind_parameter_count(statement.get()) > 0)
            throw Error(Fault::usage,
                        "write the value itself, a text in single quotes; in a shell put the statement into single "
                        "quotes or a file, for $ is the shell's",
                        "the statement has a parameter, {}, without a value", parameter_of(statement.get()));
        return statement;
    }

    static std::string parameter_of(sqlite3_stmt* statement)
    {
        const char* name = sqlite3_bind_parameter_name(statement, 1);
        return name == nullptr ? "?" : name;
    }

    bool step(sqlite3_stmt* statement, const std::string& sql)
    {
        const int code = sqlite3_step(statement);
        if (code != SQLITE_ROW && code != SQLITE_DONE) fail(sql);
        return code == SQLITE_ROW;
    }

    QueryBounds bounds_;
    Deadline deadline_;
    MemoryLimit memory_;
    Zone zone_;
    ViewSource source_; // outlives the connection
    std::string refused_;
    sqlite3* db_ = nullptr;
};

} // namespace

QueryEnd run_query(std::unique_ptr<Reader> mirror, const std::string& sql, const Zone& zone, const QueryBounds& bounds,
                   const QueryOutput& output)
{
    ViewQuery query(std::move(mirror), zone, bounds);
    return query.run(sql, output);
}

} // namespace alli::cache
