// SPDX-License-Identifier: Apache-2.0
// 32 random bytes made with the mirror, by which the proxy seals its cursors: they stay valid across restarts.
#pragma once

#include "cache/sqlite.hpp"

#include <string>

namespace alli::cache {

std::string load_cursor_secret(Reader& db);

} // namespace alli::cache
