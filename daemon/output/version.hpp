// SPDX-License-Identifier: Apache-2.0
// What --version says: the program, the commit that it was built from, and the libraries that it runs with.
#pragma once

#include <string>

namespace alli::daemon {

std::string say_version();

} // namespace alli::daemon
