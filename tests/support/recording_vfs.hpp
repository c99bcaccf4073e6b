// SPDX-License-Identifier: Apache-2.0
// A VFS over SQLite's own, and an observer of the program's calls: what both do to the files of one directory comes
// into one log, and may be made to fail. The shared memory of logs is passed through, nothing is mapped.
#pragma once

#include "alli/disk.hpp"
#include "tests/support/disk_log.hpp"

#include <functional>
#include <mutex>

namespace support {

/// A call that is about to be made. Reads and openings are asked about, and not logged.
struct ComingCall {
    enum class Kind { open, read, write, truncate, sync, other };
    Kind kind;
    const std::string& path; // within the directory
};

/// What goes wrong with it.
enum class DiskFault { none, io, no_room, short_write };

/// The default VFS of this process for as long as it lives; one at a time. Other directories are passed through.
class RecordingVfs final : public alli::DiskObserver {
  public:
    explicit RecordingVfs(std::string directory);
    ~RecordingVfs() override;
    RecordingVfs(const RecordingVfs&) = delete;
    RecordingVfs& operator=(const RecordingVfs&) = delete;

    /// Asked before each call, on the thread that makes it.
    void fail_where(std::function<DiskFault(const ComingCall&)> decide) { decide_ = std::move(decide); }

    const std::vector<LoggedCall>& log() const noexcept { return log_; } // while nobody writes

    // For the VFS's own functions, and for disk.hpp:
    std::optional<std::string> within(const std::string& path) const; // none: it is elsewhere
    void note(LoggedCall call);
    DiskFault ask(ComingCall::Kind kind, const std::string& path);
    std::error_code before(const alli::DiskCall& call) override;
    void after(const alli::DiskCall& call) override;

  private:
    std::string directory_;
    std::function<DiskFault(const ComingCall&)> decide_;
    std::mutex mutex_;
    std::vector<LoggedCall> log_;
};

} // namespace support
