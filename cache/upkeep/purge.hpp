// SPDX-License-Identifier: Apache-2.0
// Erases for good: rows, index terms, waiting and settled writes, what was noted of them, and what of all that lies in
// free pages and logs. What was purged does not come back: cache/rows/suppression_list.hpp. Works in steps between
// other writes.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "cache/purge_rows.hpp"
#include "cache/store.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

struct PurgeReport {
    std::int64_t conversations = 0, chats = 0;
    std::int64_t writes = 0, waiting = 0; // of the outbox; those of them that were not delivered yet
    bool logs_emptied = true;             // false: a reader held one, for longer than was waited
};

/// What a purge would erase now.
PurgeReport plan_purge(Store& store, const PurgeOptions& wish);

struct PurgeHooks {
    /// Lines of the outbox that lost entries.
    std::function<void(const std::vector<std::optional<ConversationId>>&)> lines_changed = [](const auto&) {};
    std::function<void(std::string_view step, std::int64_t done, std::int64_t total)> report = [](auto&&...) {};
    std::function<bool()> stopping = [] { return false; };
};

/// Throws Error{canceled} when it is told to stop: what is left is finished by the next purge, or the next start and
/// erase_remains() after it.
Task<PurgeReport> purge(Store& store, PurgeOptions wish, PurgeHooks hooks);

/// What a purge leaves alone and may hold what was erased: files that were set aside as damaged, or that a restore
/// replaced.
std::vector<std::string> find_set_aside(const std::string& mirror_path);

/// As purge() ends, where the rows went in another way (cache/replica/suppressions.hpp): what they left in index terms,
/// free pages and logs. Throws as purge() does.
Task<> erase_remains(Store& store, PurgeHooks hooks);
/// Whether that is due: a purge was cut short, or the start erased what a restored backup brought.
bool has_remains(Store& store);

} // namespace alli::cache
