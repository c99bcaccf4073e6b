// SPDX-License-Identifier: Apache-2.0
// What is to survive a power cut.
#pragma once

#include <string>

namespace alli {

/// A file's bytes, or a directory's names, on the disk itself. Throws Error{io}: what was written is then not safe.
void sync_to_disk(const std::string& path);

} // namespace alli
