// SPDX-License-Identifier: Apache-2.0
#include "cache/db/writer.hpp"

#include "cache/db/index_batch.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <vector>

namespace alli::cache {

Writer::Writer(const std::string& path, std::string_view synchronous)
    : Connection(path, Access::write, synchronous), words_(std::make_unique<IndexBatch>())
{
    const auto note_pages = [](void* writer, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(writer)->log_pages_ = pages;
        return SQLITE_OK;
    };
    sqlite3_wal_hook(handle(), note_pages, this);
    const auto note_row = [](void* writer, int what, const char*, const char* table, sqlite3_int64 rowid) {
        auto& self = *static_cast<Writer*>(writer);
        self.change_set_.row(table, rowid);
        if (what != SQLITE_UPDATE) self.row_changes_.row(table, what == SQLITE_INSERT ? 1 : -1);
    };
    sqlite3_update_hook(handle(), note_row, this);
}

Writer::~Writer() = default;

void Writer::commit()
{
    words_->flush(*this);
    write_row_changes();
    script("COMMIT");
}

void Writer::write_row_changes()
{
    if (!row_changes_.any()) return;
    run("UPDATE totals SET conversations = conversations + ?1, chats = chats + ?2 WHERE one = 1",
        row_changes_.conversations(), row_changes_.chats());
    row_changes_.clear();
}

bool Writer::in_transaction() const noexcept
{
    return sqlite3_get_autocommit(handle()) == 0;
}

void Writer::roll_back() noexcept
{
    words_->clear();
    row_changes_.clear();
    if (in_transaction()) sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

bool Writer::checkpoint(Checkpoint how, std::chrono::milliseconds wait) noexcept
{
    constexpr std::array modes{SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE};
    sqlite3_busy_timeout(handle(), static_cast<int>(wait.count()));
    const int code =
        sqlite3_wal_checkpoint_v2(handle(), nullptr, modes[static_cast<std::size_t>(how)], &in_log_, &checkpointed_);
    sqlite3_busy_timeout(handle(), static_cast<int>(busy_wait.count()));
    if (code != SQLITE_OK) return false;
    log_pages_ = 0;
    return true;
}

namespace {

// By the connection's own descriptor: closing another one would drop SQLite's locks.
class OwnFile {
  public:
    explicit OwnFile(Writer& db) : db_(db)
    {
        require(sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file_));
    }
    std::int64_t size() const
    {
        sqlite3_int64 bytes = 0;
        require(file_->pMethods->xFileSize(file_, &bytes));
        return bytes;
    }
    void read(std::vector<unsigned char>& to, std::int64_t at) const
    {
        require(file_->pMethods->xRead(file_, to.data(), static_cast<int>(to.size()), at));
    }
    void clear(std::size_t size, std::int64_t at) const
    {
        const std::vector<unsigned char> nothing(size);
        require(file_->pMethods->xWrite(file_, nothing.data(), static_cast<int>(size), at));
    }
    void sync() const { require(file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL)); }

  private:
    void require(int code) const
    {
        if (code != SQLITE_OK) db_.fail(code);
    }
    Writer& db_;
    sqlite3_file* file_ = nullptr;
};

} // namespace

std::optional<std::int64_t> Writer::overwrite(std::int64_t first, std::int64_t count, FindPart find)
{
    if (require<bool>("PRAGMA auto_vacuum")) return std::nullopt; // it has pages of other kinds; ours never is
    const std::int64_t size = require<std::int64_t>("PRAGMA page_size");
    const OwnFile file(*this);
    const std::int64_t all = file.size() / size, end = std::min(all, first + count);
    std::vector<unsigned char> page(static_cast<std::size_t>(size));
    for (std::int64_t number = first; number < end; ++number) {
        file.read(page, number * size);
        const PagePart part = find(page, number);
        const auto begin = page.begin() + static_cast<std::ptrdiff_t>(part.from);
        const auto past = begin + static_cast<std::ptrdiff_t>(part.size);
        if (std::any_of(begin, past, [](unsigned char c) { return c != 0; }))
            file.clear(part.size, number * size + static_cast<std::int64_t>(part.from));
    }
    file.sync();
    sqlite3_db_release_memory(handle()); // pages that were read before would bring them back when they are changed
    return end == all ? std::nullopt : std::optional(end);
}

void empty_log(Writer& db)
{
    if (!db.checkpoint(Writer::Checkpoint::truncate)) db.fail(sqlite3_extended_errcode(db.handle()));
}

} // namespace alli::cache
