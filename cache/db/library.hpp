// SPDX-License-Identifier: Apache-2.0
// Which SQLite this program runs with.
#pragma once

#include <string>

namespace alli::cache {

std::string sqlite_version();

} // namespace alli::cache
