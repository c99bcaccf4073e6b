// SPDX-License-Identifier: Apache-2.0
// A conversation as upstream sends it: its raw JSON with the most recent chats put back where they were taken out.
// Bytes are joined, nothing is parsed.
#pragma once

#include "cache/sqlite.hpp"

#include <string>

namespace alli::cache {

/// `row` holds pk, raw, chats_at and held as its first columns. The last `embedded` chats, oldest first.
std::string assemble(Reader& db, const Row& row, std::int64_t embedded);

} // namespace alli::cache
