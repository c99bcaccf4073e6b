// SPDX-License-Identifier: Apache-2.0
// A file in the making stands beside the place that it will have: FILE.part-PID. What a killed process left of one is
// taken away by the next that makes the same file.
#pragma once

#include <string>

namespace alli {

/// Removes parts of a file, with what SQLite puts beside them, of processes that are no more, ten minutes after the
/// last write.
void remove_left_parts(const std::string& path);

/// The same, and the name of this process's part.
std::string begin_part(const std::string& path);

} // namespace alli
