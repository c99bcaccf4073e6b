// SPDX-License-Identifier: Apache-2.0
// Whether two texts are the same typed id of the service, which shows them encoded ("Q29udmVyc2F0aW9uOjY..."), decoded
// ("Conversation:6...") or bare ("6..."). Pure.
#pragma once

#include <string_view>

namespace alli::upstream {

bool is_same_id(std::string_view a, std::string_view b);

} // namespace alli::upstream
