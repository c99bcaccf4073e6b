// SPDX-License-Identifier: Apache-2.0
// Base64url and constant-time comparison, for keys and cursors. Pure.
#pragma once

#include "alli/digest.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

/// Takes as long for every pair of the same size.
bool same_bytes(std::string_view a, std::string_view b) noexcept;
bool same_digest(const Digest& a, const Digest& b) noexcept;

/// Base64 for URLs, without padding. Reading is strict: one spelling a value.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

} // namespace alli::proxy
