// SPDX-License-Identifier: Apache-2.0
// Headers that a reverse proxy in front of the mirror adds: who signed in, with which token or certificate, from which
// address, and at which page. They are for the mirror's operator and go no further.
#pragma once

#include <string_view>

namespace alli::proxy {

bool is_gateway_header(std::string_view name) noexcept;

} // namespace alli::proxy
