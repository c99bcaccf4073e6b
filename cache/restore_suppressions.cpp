// SPDX-License-Identifier: Apache-2.0
#include "cache/restore_suppressions.hpp"

#include "alli/error.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/suppressed_writes.hpp"

#include <algorithm>
#include <filesystem>

namespace alli::cache {
namespace {

bool has_table(Connection& db, std::string_view name)
{
    return db.exists("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", name);
}

/// None: there is no such file, or it cannot be read.
std::optional<SuppressionList> find_list(const std::string& path)
{
    if (!std::filesystem::exists(path)) return std::nullopt;
    std::optional<SuppressionList> list;
    try {
        Writer db(path, "FULL"); // nobody else has it open; its log may have to be read
        list = has_table(db, "purged") && has_table(db, "fact") ? load_suppression_list(db) : SuppressionList{};
    } catch (const Error& error) {
        if (error.fault() == Fault::disk_full) throw;
        list.reset();
    }
    return list;
}

// The mirror may know of it from before the outbox was lost.
std::optional<SuppressionList> find_replaced_list(const ReplacedFiles& replaced)
{
    auto list = find_list(replaced.outbox);
    if (list && !list->key.empty()) return list;
    auto copy = find_list(replaced.mirror);
    return copy && !copy->key.empty() ? copy : list;
}

} // namespace

std::string merge_suppressions(Writer& outbox, Writer& mirror, const ReplacedFiles& replaced, const std::string& since)
{
    const auto theirs = find_replaced_list(replaced);
    if (!theirs)
        return fmt::format("what was purged since {} is not known here, and is in it again: purge it again", since);
    if (theirs->key.empty()) return "nothing was purged since that would be in it again";

    const SuppressionList own = load_suppression_list(outbox);
    const bool mixed = !own.key.empty() && own.key != theirs->key;
    put_suppression_list(outbox, *theirs);
    put_suppression_version(outbox, std::max(own.version, theirs->version) + 1);
    const NamedInOutbox named = find_named(outbox);
    const auto purged = purge_suppressed_writes(outbox, find_known(mirror, named.conversations), named.users);
    const std::size_t removed = purged.removed.size();
    std::string said = "what was purged since stays away";
    if (removed > 0)
        said += fmt::format(" (with {} waiting or settled {})", removed, removed == 1 ? "write" : "writes");
    if (mixed && !own.hashes.empty())
        said += fmt::format("; the backup's own list of {} purged ids is another mirror's, and cannot be merged: purge "
                            "those again",
                            own.hashes.size());
    return said;
}

} // namespace alli::cache
