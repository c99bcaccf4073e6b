// SPDX-License-Identifier: Apache-2.0
// Digests of bytes, with and without a key. Pure: any thread.
#pragma once

#include <array>
#include <string_view>

namespace alli {

using Digest = std::array<unsigned char, 32>;

Digest sha256(std::string_view bytes);
/// HMAC-SHA256.
Digest seal(std::string_view secret, std::string_view bytes);

/// As text that a blob of a database takes.
inline std::string_view bytes_of(const Digest& digest) noexcept
{
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

} // namespace alli
