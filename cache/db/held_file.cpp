// SPDX-License-Identifier: Apache-2.0
#include "cache/db/held_file.hpp"

#include <sqlite3.h>

#include <array>
#include <filesystem>

namespace alli::cache {
namespace {

constexpr const char* displaced_hint =
    "start the program again; let nothing remove, replace or restore its files while "
    "it runs (docs/operations.md)";

// By the connection's own descriptor.
bool has_moved(Writer& db)
{
    int moved = 0;
    const int code = sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code != SQLITE_OK) db.fail(code);
    return moved != 0;
}

std::string read_header(Writer& db)
{
    std::array<char, 100> header{};
    sqlite3_file* file = nullptr;
    int code = sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK) code = file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0);
    if (code != SQLITE_OK) db.fail(code);
    return {header.begin(), header.end()};
}

std::int64_t page_size(const std::string& header)
{
    const auto high = static_cast<unsigned char>(header[16]), low = static_cast<unsigned char>(header[17]);
    const std::int64_t size = high * 256 + low;
    return size == 1 ? 65536 : size;
}

} // namespace

Displaced::Displaced(const std::string& sentence) : Error(Fault::damaged, displaced_hint, "{}", sentence) {}

bool is_displaced(const std::exception_ptr& failure)
{
    if (!failure) return false;
    try {
        std::rethrow_exception(failure);
    } catch (const Displaced&) {
        return true;
    } catch (...) {
        return false;
    }
}

HeldFile::HeldFile(Writer& db)
    : db_(db), name_(std::filesystem::path(db.path()).filename().string()), log_path_(db.path() + "-wal")
{
    const auto file = look_at(db.path());
    if (!file || has_moved(db)) throw Displaced(fmt::format("{} was replaced while it was opened", db.path()));
    remember(*file);
    log_ = identity_of(log_path_);
}

std::optional<HeldFile::Look> HeldFile::look_at(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    const std::int64_t modified = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
    return Look{{status.st_dev, status.st_ino}, status.st_size, modified};
}

void HeldFile::remember(const Look& now)
{
    file_ = now;
    header_ = read_header(db_);
}

// A file with a log changes by checkpoints alone, which are ours. A time of change that moved by itself is no proof
// (some file systems set it late): the header is then compared too.
std::optional<HeldFile::Loss> HeldFile::find_file_loss()
{
    const auto now = look_at(db_.path());
    if (!now) return Loss{fmt::format("{} was removed or moved while the program ran", name_)};
    if (now->place != file_.place) return Loss{fmt::format("{} was replaced while the program ran", name_)};
    if (now->size != file_.size)
        return Loss{fmt::format("{} was {} by another program", name_, now->size < file_.size ? "cut" : "written"),
                    true};
    if (now->modified_ns == file_.modified_ns) return std::nullopt;
    if (read_header(db_) != header_) return Loss{fmt::format("{} was overwritten by another program", name_), true};
    file_.modified_ns = now->modified_ns;
    return std::nullopt;
}

void HeldFile::note_own_change()
{
    const auto now = look_at(db_.path());
    if (now && now->place == file_.place) remember(*now);
}

std::int64_t HeldFile::least_log_bytes() const
{
    constexpr std::int64_t head = 32, frame_head = 24;
    if (db_.log_pages() == 0) return 0;
    return head + db_.log_pages() * (frame_head + page_size(header_));
}

std::optional<HeldFile::Loss> HeldFile::find_log_loss()
{
    const auto now = look_at(log_path_);
    if (!log_) {
        if (now) log_ = now->place;
        return std::nullopt;
    }
    if (!now) return Loss{fmt::format("the log {}-wal was removed or moved while the program ran", name_)};
    if (now->place != *log_) return Loss{fmt::format("the log {}-wal was replaced while the program ran", name_)};
    if (now->size < least_log_bytes())
        return Loss{fmt::format("the log {}-wal was cut by another program", name_), true};
    return std::nullopt;
}

std::optional<HeldFile::Loss> HeldFile::find_loss()
{
    auto loss = find_file_loss();
    return loss ? loss : find_log_loss();
}

} // namespace alli::cache
