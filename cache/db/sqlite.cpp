// SPDX-License-Identifier: Apache-2.0
#include "cache/db/sqlite.hpp"

#include "alli/error.hpp"
#include "cache/db/library.hpp"
#include "cache/db/tokenizer.hpp"
#include "cache/text/case_fold.hpp"

#include <sqlite3.h>

#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace alli::cache {

bool Row::is_null(int column) const noexcept
{
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Row::integer(int column) const noexcept
{
    return sqlite3_column_int64(statement_, column);
}

double Row::real(int column) const noexcept
{
    return sqlite3_column_double(statement_, column);
}

std::string_view Row::text(int column) const noexcept
{
    const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::int64_t> Row::optional_integer(int column) const noexcept
{
    return is_null(column) ? std::nullopt : std::optional(integer(column));
}

std::optional<std::string> Row::optional_text(int column) const
{
    return is_null(column) ? std::nullopt : std::optional<std::string>(text(column));
}

std::optional<Instant> Row::optional_instant(int column) const noexcept
{
    return is_null(column) ? std::nullopt : std::optional(Instant{std::chrono::microseconds{integer(column)}});
}

Rows::~Rows()
{
    if (own_) {
        sqlite3_finalize(statement_);
        return;
    }
    sqlite3_reset(statement_); // an error of the step was thrown by it
    sqlite3_clear_bindings(statement_);
}

bool Rows::step()
{
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) db_->fail(code);
    return false;
}

namespace bind {
namespace {

// Only a statement with fewer parameters than arguments fails here: a mistake in the code.
void require(int code)
{
    if (code != SQLITE_OK) throw std::logic_error("an SQL statement does not take this argument");
}

} // namespace

void value(sqlite3_stmt* statement, int index, std::int64_t number, Hold)
{
    require(sqlite3_bind_int64(statement, index, number));
}

void value(sqlite3_stmt* statement, int index, double number, Hold)
{
    require(sqlite3_bind_double(statement, index, number));
}

void value(sqlite3_stmt* statement, int index, std::string_view text, Hold hold)
{
    const auto keep = hold == Hold::copy ? SQLITE_TRANSIENT : SQLITE_STATIC;
    require(sqlite3_bind_text64(statement, index, text.data() ? text.data() : "", text.size(), keep, SQLITE_UTF8));
}

void value(sqlite3_stmt* statement, int index, std::nullopt_t, Hold)
{
    require(sqlite3_bind_null(statement, index));
}

} // namespace bind

namespace {

struct CodeMeaning {
    int code;
    Fault fault;
    const char* hint;
};
constexpr std::array meanings{
    CodeMeaning{SQLITE_CORRUPT_VTAB, Fault::unavailable, "alli-mirror verify --repair makes the index of words anew"},
    CodeMeaning{SQLITE_CONSTRAINT, Fault::unavailable, "alli-mirror verify says whether the file is sound"},
    CodeMeaning{SQLITE_FULL, Fault::disk_full, "free some space; nothing that was acknowledged is lost"},
    CodeMeaning{SQLITE_CORRUPT, Fault::damaged,
                "restart the program (serve, or sync): a damaged file is set aside and made anew"},
    CodeMeaning{SQLITE_NOTADB, Fault::damaged, "mirror.path names a file that is no mirror"},
    CodeMeaning{SQLITE_BUSY, Fault::busy, "another program has the file open"},
    CodeMeaning{SQLITE_LOCKED, Fault::busy, "another program has the file open"},
    CodeMeaning{SQLITE_READONLY, Fault::io, "the directory and the file must be writable by the program's user"},
    CodeMeaning{SQLITE_CANTOPEN, Fault::io, "the directory must exist and belong to the program's user"},
    CodeMeaning{SQLITE_PERM, Fault::io, "the file must belong to the program's user"},
    CodeMeaning{SQLITE_INTERRUPT, Fault::canceled, ""},
};

std::string_view text_of(sqlite3_value* value)
{
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
    return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// has_term(term, text, text): whether one of the texts holds the folded term.
void has_term(sqlite3_context* context, int, sqlite3_value** values)
{
    const std::string_view term = text_of(values[0]);
    const bool found = holds_term(text_of(values[1]), term) || holds_term(text_of(values[2]), term);
    sqlite3_result_int(context, found ? 1 : 0);
}

// See docs/decisions/0004. A reader never checkpoints, not even as the last to close: one connection does.
void configure(Connection& db, Access access, std::string_view synchronous)
{
    sqlite3* handle = db.handle();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, static_cast<int>(busy_wait.count()));
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (const int code = register_tokenizer(handle); code != SQLITE_OK) db.fail(code);
    db.script("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
              "PRAGMA cache_size = -8000");
    sqlite3_create_function_v2(handle, "has_term", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                               &has_term, nullptr, nullptr, nullptr);
    if (access == Access::read) return;
    db.script(
        fmt::format("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864;"
                    "PRAGMA secure_delete = ON; PRAGMA synchronous = {}",
                    synchronous));
}

// Before the first connection: SQLite's count of what all of them allocate takes a mutex each time, for which loops
// that read wait for each other.
void leave_out_statistics()
{
    [[maybe_unused]] static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

// Of a file that nobody has open (outbox_identity.cpp).
bool is_uri(const std::string& path, Access access)
{
    return access == Access::read && path.starts_with("file:///");
}

} // namespace

Connection::Connection(const std::string& path, Access access, std::string_view synchronous) : path_(path)
{
    leave_out_statistics();
    const int flags = (access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                      (is_uri(path, access) ? SQLITE_OPEN_URI : 0);
    const int code =
        sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE, nullptr);
    try {
        if (access == Access::write) ::chmod(path.c_str(), 0600); // also where it was made, and could not be read
        if (code != SQLITE_OK) fail(code);
        configure(*this, access, synchronous);
    } catch (...) {
        sqlite3_close_v2(db_);
        throw;
    }
}

Connection::~Connection()
{
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close_v2(db_);
}

sqlite3_stmt* Connection::prepare(std::string_view sql)
{
    if (const auto found = statements_.find(sql); found != statements_.end()) return found->second;
    return statements_.emplace(sql, compile(sql, true)).first->second;
}

sqlite3_stmt* Connection::compile(std::string_view sql, bool to_keep) const
{
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                        to_keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
    if (code != SQLITE_OK) fail(code);
    return statement;
}

Rows Connection::query_values(std::string_view sql, std::span<const Value> values)
{
    constexpr std::size_t most_kept = 300;
    const bool own = statements_.size() >= most_kept && statements_.find(sql) == statements_.end();
    sqlite3_stmt* statement = own ? compile(sql, false) : prepare(sql);
    int index = 0;
    for (const Value& value : values)
        std::visit([&](const auto& it) { bind::value(statement, ++index, it, Hold::copy); }, value);
    return Rows(*this, statement, own);
}

void Connection::script(const std::string& sql)
{
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

void Connection::interrupt_when(std::function<bool()> stopping)
{
    constexpr int often = 100'000; // steps of SQLite's machine: a few milliseconds
    stopping_ = std::move(stopping);
    const auto ask = [](void* self) { return static_cast<Connection*>(self)->stopping_() ? 1 : 0; };
    sqlite3_progress_handler(db_, often, ask, this);
}

void Connection::interrupt() noexcept
{
    sqlite3_interrupt(db_);
}

void Connection::count_steps() noexcept
{
    const auto count = [](void* self) {
        ++static_cast<Connection*>(self)->steps_;
        return 0;
    };
    sqlite3_progress_handler(db_, 1, count, this);
}

std::int64_t Connection::changes() const noexcept
{
    return sqlite3_changes64(db_);
}

std::int64_t Connection::total_changes() const noexcept
{
    return sqlite3_total_changes64(db_);
}

std::int64_t Connection::last_rowid() const noexcept
{
    return sqlite3_last_insert_rowid(db_);
}

namespace {

int last_errno(sqlite3_file* file)
{
    int number = 0;
    if (file == nullptr || file->pMethods == nullptr) return 0;
    return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK ? number : 0;
}

bool is_want_of_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

// SQLite calls only ENOSPC a full disk, and only where it writes to a file itself: a quota and the largest size of a
// file end writes in the same way, and the index of the log, or a file that is to be made, need room too. Not a sync
// that failed: after one nothing is to be believed.
bool is_out_of_room(sqlite3* db, int code)
{
    if (db == nullptr) return false;
    if (code == SQLITE_IOERR_SHMSIZE || (code & 0xff) == SQLITE_CANTOPEN)
        return is_want_of_room(sqlite3_system_errno(db));
    if (code != SQLITE_IOERR_WRITE) return false;
    for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
        sqlite3_file* file = nullptr;
        sqlite3_file_control(db, "main", which, &file);
        if (is_want_of_room(last_errno(file))) return true;
    }
    return false;
}

} // namespace

void Connection::fail(int code) const
{
    const bool no_room = is_out_of_room(db_, code);
    if (no_room) code = SQLITE_FULL;
    const char* why = db_ && !no_room ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
    for (const CodeMeaning& meaning : meanings)
        if (code == meaning.code || (code & 0xff) == meaning.code)
            throw Error(meaning.fault, meaning.hint, "{}: {}", path_, why);
    throw Error(Fault::io, "see the system's log for errors of the disk", "{}: {} (SQLite {})", path_, why, code);
}

std::string sqlite_version()
{
    return std::string("SQLite/") + ::sqlite3_libversion();
}

} // namespace alli::cache
