// SPDX-License-Identifier: Apache-2.0
// Which libcurl this program runs with, and what that was linked with.
#pragma once

#include <string>

namespace alli::upstream {

std::string curl_versions();

} // namespace alli::upstream
