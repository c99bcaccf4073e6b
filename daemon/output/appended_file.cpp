// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/appended_file.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "alli/part_file.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace alli::daemon {

static std::string note_of(const std::string& file)
{
    return file + ".state";
}

std::optional<AppendState> find_append_state(const std::string& file)
{
    std::ifstream in(note_of(file));
    if (!in && !std::filesystem::exists(note_of(file))) return std::nullopt;
    const auto json = nlohmann::json::parse(in, nullptr, false);
    try {
        AppendState state;
        state.made = {json.at("mirror"), json.at("what"), json.at("position")};
        state.bytes = json.at("bytes");
        state.appending = json.at("appending");
        return state;
    } catch (const nlohmann::json::exception&) {
        throw Error(Fault::io, "remove it and the file, and the next export begins anew", "{} cannot be read",
                    note_of(file));
    }
}

void put_append_state(const std::string& file, const AppendState& state)
{
    nlohmann::ordered_json json;
    json["mirror"] = state.made.mirror;
    json["what"] = state.made.what;
    json["position"] = state.made.position;
    json["bytes"] = state.bytes;
    json["appending"] = state.appending;
    const std::string part = note_of(file) + ".part";
    if (const auto error = write_file(part, json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n'))
        throw Error(Fault::io, "see whether the disk is full or read-only", "cannot write {}: {}", part,
                    error.message());
    rename_synced(part, note_of(file));
}

// One run at a time; the lock goes with the descriptor.
static int open_locked(const std::string& path)
{
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
    ::close(file);
    throw Error(Fault::busy, "let that one end first", "another export writes to {}", path);
}

AppendedFile::AppendedFile(const std::string& path, const AppendState& state) : path_(path), file_(open_locked(path))
{
    if (file_ < 0) fail();
    remove_left_parts(path_);
    try {
        begin(state);
    } catch (const Error&) {
        ::close(file_);
        throw;
    }
}

AppendedFile::~AppendedFile()
{
    ::close(file_);
}

void AppendedFile::begin(const AppendState& state)
{
    struct stat status = {};
    if (::fstat(file_, &status) != 0) fail();
    const std::int64_t found = status.st_size;
    const bool ours = found == state.bytes || found == 0 || (found > state.bytes && state.appending);
    if (!ours || !S_ISREG(status.st_mode))
        throw Error(Fault::io,
                    "move it away, and the next export begins a file of what changed; remove its .state too, and it is "
                    "one of everything",
                    "{} is not as the last export left it", path_);
    size_ = found == 0 ? 0 : state.bytes;
    if (::ftruncate(file_, size_) != 0 || ::lseek(file_, size_, SEEK_SET) != size_) fail();
}

void AppendedFile::write(std::string_view text)
{
    while (!text.empty()) {
        const auto written = ::write(file_, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail();
        size_ += written;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void AppendedFile::finish()
{
    if (::fsync(file_) != 0) fail();
    sync_to_disk(parent_directory(path_)); // its name, where it was made
}

void AppendedFile::fail() const
{
    const int why = errno;
    throw Error(why == ENOSPC ? Fault::disk_full : Fault::io, "see whether the disk is full or read-only",
                "cannot write {}: {}", path_, std::strerror(why));
}

} // namespace alli::daemon
