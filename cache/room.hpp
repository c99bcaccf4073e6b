// SPDX-License-Identifier: Apache-2.0
// Whether there is room on the disk for what is to be written: noted by the threads that commit, read by whoever tells
// it. Of the process, for one process has one store (cache/lock.hpp).
#pragma once

#include "alli/instant.hpp"

#include <optional>
#include <string_view>

namespace alli::cache {

enum class Room { outbox, mirror };

/// Any thread: there was none at `since`, or a commit went well.
void note_no_room(Room file, Instant since) noexcept;
void note_room(Room file) noexcept;

/// Any thread. None: the last commit to either went well.
struct NoRoom {
    Room file;
    Instant since;
};
std::optional<NoRoom> find_no_room() noexcept;
bool has_room(Room file) noexcept;
std::string_view name_of(Room file) noexcept; // outbox.db, mirror.db

} // namespace alli::cache
