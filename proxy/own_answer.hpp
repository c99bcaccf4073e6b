// SPDX-License-Identifier: Apache-2.0
// Whether the reply to a forwarded read may be cached. A reply that bears another id than was asked for is passed on but
// not cached.
#pragma once

#include "upstream/http.hpp"

#include <string_view>

namespace alli::proxy {

bool is_own_answer(std::string_view target, const upstream::Reply& reply);

} // namespace alli::proxy
