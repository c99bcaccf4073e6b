// SPDX-License-Identifier: Apache-2.0
// A copy of both files while the program runs: a directory that can be used as it is, by mirror.path. Writes that wait
// come up in it as conflicts: whether they were sent after the copy was made, only a person can know.
#pragma once

#include "cache/store.hpp"

#include <functional>
#include <optional>
#include <string>

namespace alli::cache {

struct BackupReport {
    std::string directory; // beside the mirror, under a name of its own: whoever asked for it moves it away
    std::int64_t bytes = 0, conversations = 0, chats = 0, held_writes = 0;
    Instant made_at;
};

/// Whether a directory beside the mirror bears a name that back_up() gives.
bool is_backup_name(std::string_view name) noexcept;

struct BackupHooks {
    std::function<void(std::string_view what, std::int64_t done, std::int64_t total)> report = [](auto&&...) {};
    std::function<bool()> stopping = [] { return false; }; // asked on several threads
};

/// `name` tells it from others. Throws Error: damaged (the copy does not pass its check), disk_full, io, canceled; then
/// nothing is left behind. One at a time.
Task<BackupReport> back_up(Store& store, std::string name, BackupHooks hooks);

/// When a backup last came to where it is to lie, whole: for the metrics and a person. Kept in the outbox.
void note_last_backup(Writer& outbox, Instant at);
std::optional<Instant> find_last_backup(Connection& outbox);

/// Copies beside the mirror that nobody moved away for so long: a younger one may be on its way to another disk.
inline constexpr std::chrono::hours left_backup{2};
void remove_left_backups(const std::string& mirror_path, std::chrono::seconds age = left_backup);

} // namespace alli::cache
