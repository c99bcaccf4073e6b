// SPDX-License-Identifier: Apache-2.0
#include "cache/backup_project.hpp"

#include "alli/error.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/rows/identity.hpp"

#include <array>
#include <filesystem>

namespace alli::cache {
namespace {

// Without a lock, and without files beside it.
std::string immutable_uri(const std::string& path)
{
    std::string uri = "file://";
    for (const char c : path)
        if (c == '%' || c == '?' || c == '#')
            uri += fmt::format("%{:02x}", static_cast<unsigned>(c));
        else
            uri += c;
    return uri + "?immutable=1";
}

} // namespace

std::optional<std::string> read_outbox_id(const std::string& path)
{
    if (!path.starts_with('/')) return std::nullopt;
    try {
        Connection db(immutable_uri(path), Access::read);
        return find_outbox_id(db);
    } catch (const Error&) {
        return std::nullopt;
    }
}

std::string_view name_of(BackupProject project)
{
    constexpr auto names = std::to_array<std::string_view>({"ours", "another", "unknown"});
    return names.at(static_cast<std::size_t>(project));
}

BackupProjectCheck::BackupProjectCheck(const std::string& outbox, std::optional<std::string> key) : key_(std::move(key))
{
    try {
        if (!std::filesystem::exists(outbox)) return;
        Reader live(outbox, Access::read);
        live_id_ = find_outbox_id(live).value_or("");
    } catch (const Error&) {
        live_id_.clear(); // damaged: it cannot tell
    }
}

void BackupProjectCheck::inspect(Connection& copy)
{
    const FilledWith with = key_ ? filled_with(copy, *key_) : FilledWith::unknown;
    by_key_ = by_key_ || with == FilledWith::this_key;
    not_by_key_ = not_by_key_ || with == FilledWith::another;
}

void BackupProjectCheck::inspect_outbox(Connection& copy)
{
    inspect(copy);
    const std::string id = find_outbox_id(copy).value_or("");
    by_outbox_ = !id.empty() && id == live_id_;
}

BackupProject BackupProjectCheck::answer() const
{
    if (by_key_ || by_outbox_) return BackupProject::ours;
    return not_by_key_ || !live_id_.empty() ? BackupProject::another : BackupProject::unknown;
}

} // namespace alli::cache
