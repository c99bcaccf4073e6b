// SPDX-License-Identifier: Apache-2.0
// A backup that takes the place of the two files. It is copied beside them and checked first; the next open, which
// holds the lock, merges the suppression lists, renames the old files to NAME.replaced-TIME and the copies into their
// place.
#pragma once

#include "alli/instant.hpp"
#include "cache/backup_project.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace alli::cache {

struct RestoreRequest {
    std::string directory;              // the backup: mirror.db and outbox.db, with their logs if there are any
    std::string mirror_path;            // of the mirror that it is for
    std::string url;                    // the upstream that both must belong to
    std::optional<std::string> api_key; // of the project that it is for, where it is known
    std::function<void(const std::string& step)> report = [](auto&&) {};
    std::function<void()> opened = [] {}; // the backup's files are: from now on it is only written beside the mirror
};

struct PreparedRestore {
    std::optional<Instant> made_at; // of the backup; none: it was not made by `backup`, and does not say
    std::int64_t conversations = 0, chats = 0, bytes = 0;
    std::int64_t held_writes = 0; // that waited, and are conflicts in it
    BackupProject project = BackupProject::unknown;
};

/// Copies the backup beside the mirror and checks the copy: pages, schema, upstream. Nothing else changes. Throws
/// Error: usage (it is no backup), settings (of another upstream, or of a newer program), damaged, disk_full, io; then
/// no copy is left.
PreparedRestore prepare_restore(const RestoreRequest& request);

/// From now on the next open takes the prepared copy in. Throws Error{usage} when there is none.
void commit_restore(const std::string& mirror_path);
void abandon_restore(const std::string& mirror_path);
bool is_restore_prepared(const std::string& mirror_path); // and not committed yet
bool is_restore_pending(const std::string& mirror_path);  // committed, and not taken in yet

/// At an open, under the lock, before the files are opened. A kill at any point leaves it to the next open.
void take_in_restore(const std::string& mirror_path);

/// What the last restore of this outbox did, in a sentence.
struct RestoreNote {
    Instant at;
    std::string what;
};
class Connection;
std::optional<RestoreNote> find_restore_note(Connection& outbox);

/// The backup's time, which backup.cpp notes in its outbox.
void note_backup_time(Connection& outbox, Instant at);
/// For the error of a write that waited when a backup was made.
std::string say_held(std::optional<Instant> made_at);

} // namespace alli::cache
