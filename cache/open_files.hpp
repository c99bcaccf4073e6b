// SPDX-License-Identifier: Apache-2.0
// The two files as a store opens them: checked, migrated, claimed for their upstream; a damaged one is set aside, and a
// new one begun. For store.cpp alone, which holds the lock.
#pragma once

#include "cache/db/migrate.hpp"
#include "cache/db/writer.hpp"
#include "cache/store_options.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// In the table of single facts: where a node of a cluster is. Gone once the file was opened by a machine alone.
inline constexpr std::string_view cluster_position_name = "cluster_position";
/// Likewise: it holds what a database that was put back has lost (cache/replica/unseen.hpp).
inline constexpr std::string_view cluster_keeps_name = "cluster_keeps";

struct Files {
    std::unique_ptr<Writer> mirror, outbox;
    std::vector<std::string> damage; // what was set aside or taken in just now, or is missing; in words
    bool mirror_unread = false;      // it was left open: its pages are to be looked at
    bool outbox_unread = false;      // too large to read all of its pages while opening
};
Files open_files(const StoreOptions& options);

/// One of the two, beside the process that owns them or without one. Throws Error{io} where it is another user's, or
/// not there yet.
std::unique_ptr<Reader> open_beside(const std::string& path, const Schema& schema, const std::string& mirror_path);

std::string directory_of(const std::string& path);
std::string outbox_path(const std::string& mirror_path);

} // namespace alli::cache
