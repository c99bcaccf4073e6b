// SPDX-License-Identifier: Apache-2.0
// The error answers of the real service, and those of what stands before it.
#pragma once

#include "sandbox/call.hpp"

#include <string_view>

namespace alli::sandbox {

Answer api_error(int status, int code, std::string_view message);
Answer invalid_token();
Answer not_deserializable();
Answer gateway_page(int status); // 502 or 503, as HTML

} // namespace alli::sandbox
