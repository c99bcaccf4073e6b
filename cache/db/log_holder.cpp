// SPDX-License-Identifier: Apache-2.0
#include "cache/db/log_holder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

// SQLite's file format, section 2.3 "WAL-index": the header, then how far a checkpoint came, and the readers' marks.
constexpr std::size_t frames_at = 16, backfilled_at = 96, marks_at = 100, index_size = 136;
constexpr std::size_t most_marks = 5;
constexpr off_t read_locks_at = 123;

struct LogIndex {
    std::uint32_t frames = 0, backfilled = 0;
    std::array<std::uint32_t, most_marks> marks{};
};

std::uint32_t number_at(const std::array<char, index_size>& bytes, std::size_t at)
{
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

std::optional<LogIndex> read_index(int descriptor)
{
    std::array<char, index_size> bytes{};
    if (::pread(descriptor, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return std::nullopt;
    LogIndex index{number_at(bytes, frames_at), number_at(bytes, backfilled_at), {}};
    for (std::size_t i = 0; i < most_marks; ++i) index.marks[i] = number_at(bytes, marks_at + 4 * i);
    return index;
}

std::optional<int> find_descriptor(const std::string& path)
{
    struct stat wanted {};
    if (::stat(path.c_str(), &wanted) != 0) return std::nullopt;
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd", unreadable)) {
        const std::string name = entry.path().filename().string();
        int number = -1;
        std::from_chars(name.data(), name.data() + name.size(), number);
        struct stat open {};
        if (::fstat(number, &open) == 0 && open.st_ino == wanted.st_ino && open.st_dev == wanted.st_dev) return number;
    }
    return std::nullopt;
}

// Locks of this process never stand in its own way: what is found is another's.
std::optional<int> find_owner(int descriptor, std::size_t mark)
{
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = read_locks_at + static_cast<off_t>(mark);
    lock.l_len = 1;
    if (::fcntl(descriptor, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
    return lock.l_pid;
}

std::string command_of(int process)
{
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(process) + "/comm"), name);
    return name;
}

} // namespace

// Who has mark 0 reads the file alone, and keeps all of the log out of it.
std::optional<LogHolder> find_log_holder(const std::string& path)
{
    const auto descriptor = find_descriptor(path + "-shm");
    const auto index = descriptor ? read_index(*descriptor) : std::nullopt;
    if (!index) return std::nullopt;
    std::optional<int> holder;
    std::uint32_t oldest = index->frames;
    for (std::size_t i = 0; i < most_marks; ++i) {
        const std::uint32_t snapshot = i == 0 ? index->backfilled : index->marks[i];
        const auto owner = snapshot <= oldest ? find_owner(*descriptor, i) : std::nullopt;
        if (!owner) continue;
        holder = owner;
        oldest = snapshot;
    }
    if (!holder) return std::nullopt;
    return LogHolder{*holder > 0 ? *holder : 0, *holder > 0 ? command_of(*holder) : ""};
}

} // namespace alli::cache
