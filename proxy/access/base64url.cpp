// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/base64url.hpp"

#include <openssl/crypto.h>

namespace alli::proxy {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

} // namespace

bool same_bytes(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool same_digest(const Digest& a, const Digest& b) noexcept
{
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string to_base64url(std::string_view bytes)
{
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    unsigned held = 0;
    int bits = 0;
    for (const char c : bytes) {
        held = (held << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) text += alphabet[(held >> (bits - 6)) & 63];
    }
    if (bits > 0) text += alphabet[(held << (6 - bits)) & 63];
    return text;
}

std::optional<std::string> from_base64url(std::string_view text)
{
    std::string bytes;
    unsigned held = 0;
    int bits = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == alphabet.npos) return std::nullopt;
        held = (held << 6) | static_cast<unsigned>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((held >> bits) & 0xff);
    }
    if (to_base64url(bytes) != text) return std::nullopt; // bits left over: another spelling of the same bytes
    return bytes;
}

} // namespace alli::proxy
