// SPDX-License-Identifier: Apache-2.0
#include "cache/db/log_bound.hpp"

#include "alli/clock.hpp"
#include "cache/db/log_holder.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

namespace alli::cache {
namespace {

constexpr std::int64_t passive_pages = 1000;
constexpr std::int64_t page_bytes = 4096 + 24; // with the header of its frame

std::mutex told_mutex;
std::vector<LongLog> told;

void note_long_log(LongLog log)
{
    const std::lock_guard hold(told_mutex);
    std::erase_if(told, [&](const LongLog& one) { return one.file == log.file; });
    told.push_back(std::move(log));
}

// What stands on the disk, whether the log still holds it or will write over it.
std::int64_t size_of_log(const std::string& path)
{
    std::error_code absent;
    const auto size = std::filesystem::file_size(path + "-wal", absent);
    return absent ? 0 : static_cast<std::int64_t>(size);
}

} // namespace

std::vector<LongLog> find_long_logs()
{
    const std::lock_guard hold(told_mutex);
    return told;
}

void clear_long_log(DataFile file) noexcept
{
    const std::lock_guard hold(told_mutex);
    std::erase_if(told, [&](const LongLog& one) { return one.file == file; });
}

std::int64_t LogBound::bound_pages() const noexcept
{
    return std::max<std::int64_t>(limits_.bytes / page_bytes, passive_pages / 4);
}

// A passive checkpoint copies what it can, and the log begins anew once nobody reads it; where readers never leave a
// gap, or one stays, it takes one that waits for them.
std::optional<LogBound::Try> LogBound::find_due(const Writer& db, bool quiet) const
{
    using Checkpoint = Writer::Checkpoint;
    const std::int64_t pages = db.log_pages(), bound = bound_pages(), some = std::min(passive_pages, bound / 4);
    const bool rested = std::chrono::steady_clock::now() - tried_at_ >= limits_.pause;
    if (quiet) {
        const bool large = pages >= some || told_ || size_of_log(db.path()) > some * page_bytes;
        return large && rested ? std::optional(Try{Checkpoint::truncate, {}}) : std::nullopt;
    }
    if (pages > bound / 4 && rested) return Try{Checkpoint::restart, limits_.wait};
    const std::int64_t grown = pages < tried_pages_ ? pages : pages - tried_pages_; // it begins anew at its front
    if (grown < some) return std::nullopt;
    return Try{Checkpoint::passive, {}};
}

void LogBound::note(Writer& db, const Try& tried, bool done, std::optional<DataFile> file)
{
    const bool passive = tried.how == Writer::Checkpoint::passive;
    const std::int64_t pages = db.pages_in_log();
    held_ = !done || (passive && db.pages_checkpointed() < pages);
    tried_pages_ = pages;
    if (!passive) tried_at_ = std::chrono::steady_clock::now();
    if (!held_) {
        held_since_.reset();
    } else if (!held_since_ || backfilled_ != db.pages_checkpointed()) {
        held_since_ = SystemClock().now();
    }
    backfilled_ = db.pages_checkpointed();
    const bool too_long = held_ && pages > bound_pages();
    if (too_long && reads_ != nullptr) reads_->end_older_than(limits_.longest_read);
    if (file && too_long) tell(db, *file);
    if (file && told_ && !held_) {
        clear_long_log(*file);
        told_ = false;
    }
}

void LogBound::tell(const Writer& db, DataFile file)
{
    note_long_log({file, size_of_log(db.path()), name_holder(db.path()), *held_since_});
    told_ = true;
}

std::string LogBound::name_holder(const std::string& path)
{
    if (const auto other = find_log_holder(path)) {
        if (other->process == 0) return "a process outside of this container";
        if (other->command.empty()) return fmt::format("process {}", other->process);
        return fmt::format("process {} ({})", other->process, other->command);
    }
    const auto own = reads_ != nullptr ? reads_->find_oldest() : std::nullopt;
    if (!own) return "a read that cannot be told from others";
    held_since_ = SystemClock().now() - std::chrono::duration_cast<std::chrono::microseconds>(own->age);
    return own->what;
}

} // namespace alli::cache
