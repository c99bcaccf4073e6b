// SPDX-License-Identifier: Apache-2.0
// Whether what came for a forwarded read may be kept: one that bears another id is passed on to whoever asked, and is
// no answer to keep.
#pragma once

#include "upstream/http.hpp"

#include <string_view>

namespace alli::proxy {

bool is_own_answer(std::string_view target, const upstream::Reply& reply);

} // namespace alli::proxy
