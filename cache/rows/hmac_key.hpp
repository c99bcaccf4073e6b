// SPDX-License-Identifier: Apache-2.0
// 32 random bytes made with the mirror, by which the proxy seals its cursors: they stay valid across restarts.
#pragma once

#include "cache/db/sqlite.hpp"

#include <string>

namespace alli::cache {

std::string load_hmac_key(Reader& db);

} // namespace alli::cache
