// SPDX-License-Identifier: Apache-2.0
#include "cache/export/sqlite_export.hpp"

#include "alli/disk.hpp"
#include "alli/error.hpp"
#include "alli/part_file.hpp"

#include <spdlog/fmt/fmt.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace alli::cache {
namespace {

constexpr const char* in_memory = ":memory:";

// In its place, with a rollback journal: a connection of its own would turn the file into one with a log beside it,
// which programs that have it open do not let go of.
std::unique_ptr<Connection> attach(const std::string& path)
{
    auto file = std::make_unique<Connection>(in_memory, Access::write);
    file->run("ATTACH ?1 AS export", path);
    return file;
}

// A journal that an update left behind when it was killed belongs to the file that is there, not to the next one.
void roll_back(const std::string& path)
{
    const std::string journal = path + "-journal";
    if (!std::filesystem::exists(journal)) return;
    try {
        attach(path)->exists("SELECT 1 FROM export.sqlite_schema");
    } catch (const Error&) {
        // What cannot be read is replaced, and its journal must not be kept for what replaces it.
    }
    require_removed(journal);
}

} // namespace

SqliteExport::SqliteExport(std::string path, bool mask) : path_(std::move(path)), part_(begin_part(path_)), mask_(mask)
{
    if (std::filesystem::exists(path_) && !std::filesystem::is_regular_file(path_))
        throw Error(Fault::io, "name a file that may be replaced", "{} is there, and no file", path_);
    file_ = std::make_unique<Connection>(part_, Access::write);
    // Nothing of a part outlives its process: neither a log nor a sync before its end is of use.
    file_->script("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF");
    create_tables(*file_);
}

SqliteExport::~SqliteExport()
{
    file_.reset();
    std::error_code absent; // what is not there need not be removed
    for (const char* ending : {"", "-wal", "-shm"}) std::filesystem::remove(part_ + ending, absent);
}

bool SqliteExport::put(Reader& db, const ConversationId& id)
{
    db.script("BEGIN");
    file_->script("BEGIN");
    const bool there = put_conversation_tables(*file_, db, id, mask_);
    file_->script("COMMIT");
    db.script("COMMIT");
    return there;
}

// Its group cannot always be given; then the rights that it had are nobody's.
void SqliteExport::take_over_permissions()
{
    struct stat was = {};
    if (::lstat(path_.c_str(), &was) != 0 || !S_ISREG(was.st_mode)) return;
    const bool is_given = ::chown(part_.c_str(), ::geteuid() == 0 ? was.st_uid : ::geteuid(), was.st_gid) == 0;
    const ::mode_t mode = was.st_mode & (is_given ? 0666U : 0606U);
    if (::chmod(part_.c_str(), mode) != 0)
        throw Error(Fault::io, "see who owns it", "cannot set the permissions of {}: {}", part_, std::strerror(errno));
}

void SqliteExport::finish(const ExportState& state)
{
    put_export_state(*file_, state);
    file_->script("PRAGMA journal_mode = DELETE");
    file_.reset();
    roll_back(path_);
    sync_to_disk(part_);
    // A program may have made the file that is replaced one with a log: it would be taken for the new one's.
    for (const char* suffix : {"-wal", "-shm"}) require_removed(path_ + suffix);
    rename_synced(part_, path_);
}

// Errors name the connection's own file, which is none.
template <class F>
auto SqliteUpdate::named(F work)
{
    try {
        return work();
    } catch (const Error& error) {
        std::string sentence = error.what();
        if (sentence.starts_with(in_memory)) sentence.replace(0, std::string_view(in_memory).size(), path_);
        throw Error(error.fault(), error.hint(), "{}", sentence);
    }
}

SqliteUpdate::SqliteUpdate(std::string path, bool mask) : path_(std::move(path)), mask_(mask)
{
    if (!std::filesystem::is_regular_file(path_)) return;
    try {
        file_ = attach(path_);
        state_ = find_export_state(*file_);
    } catch (const Error& error) {
        if (error.fault() != Fault::damaged) throw;
    }
}

void SqliteUpdate::begin()
{
    remove_left_parts(path_);
    // A large transaction would otherwise lock the file long before its end.
    named([&] { file_->script("PRAGMA cache_spill = OFF; PRAGMA export.synchronous = FULL; BEGIN IMMEDIATE"); });
}

bool SqliteUpdate::put(Reader& db, const ConversationId& id)
{
    db.script("BEGIN");
    const bool there = named([&] { return put_conversation_tables(*file_, db, id, mask_); });
    db.script("COMMIT");
    return there;
}

bool SqliteUpdate::remove(const ConversationId& id)
{
    return named([&] { return remove_conversation_tables(*file_, id); });
}

void SqliteUpdate::finish(const ExportState& state)
{
    named([&] {
        put_export_state(*file_, state);
        file_->script("COMMIT");
    });
    file_.reset();
}

} // namespace alli::cache
