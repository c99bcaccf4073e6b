// SPDX-License-Identifier: Apache-2.0
// Whether the last commits found free space on the disk: written by the committing threads, read by any thread. Global
// to the process, because a process has one store (cache/db/lock.hpp).
#pragma once

#include "alli/instant.hpp"

#include <optional>
#include <string_view>

namespace alli::cache {

enum class DataFile { outbox, mirror };

/// A commit failed for lack of space at `since`; a commit succeeded.
void note_no_space(DataFile file, Instant since) noexcept;
void note_space(DataFile file) noexcept;

/// None: the last commit to each file succeeded.
struct NoSpace {
    DataFile file;
    Instant since;
};
std::optional<NoSpace> find_no_space() noexcept;
bool has_room(DataFile file) noexcept;
std::string_view name_of(DataFile file) noexcept; // outbox.db, mirror.db

} // namespace alli::cache
