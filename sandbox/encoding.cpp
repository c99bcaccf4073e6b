// SPDX-License-Identifier: Apache-2.0
#include "sandbox/encoding.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <iterator>

namespace alli::sandbox {
namespace {

constexpr std::string_view standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_safe = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string encoded(std::string_view bytes, std::string_view alphabet, bool padded)
{
    std::string out;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (held += 8; held >= 6; held -= 6) out.push_back(alphabet[(bits >> (held - 6)) & 63]);
    }
    if (held > 0) out.push_back(alphabet[(bits << (6 - held)) & 63]);
    while (padded && out.size() % 4 != 0) out.push_back('=');
    return out;
}

bool needs_escape(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escaped(std::string& out, char c)
{
    switch (c) {
    case '"':
        out += "\\\"";
        return;
    case '\\':
        out += "\\\\";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    }
}

} // namespace

std::string base64(std::string_view bytes)
{
    return encoded(bytes, standard, true);
}

std::string base64url(std::string_view bytes)
{
    return encoded(bytes, url_safe, false);
}

std::optional<std::string> from_base64(std::string_view text)
{
    while (text.ends_with('=')) text.remove_suffix(1);
    std::string out;
    std::uint32_t bits = 0;
    int held = 0;
    for (const char c : text) {
        auto value = standard.find(c);
        if (value == std::string_view::npos) value = url_safe.find(c);
        if (value == std::string_view::npos) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(value);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out.push_back(static_cast<char>((bits >> held) & 0xff));
    }
    if (text.size() % 4 == 1) return std::nullopt;
    return out;
}

std::string folded(std::string_view text)
{
    std::string out{text};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<unsigned char>(out[i]);
        const auto before = i == 0 ? 0 : static_cast<unsigned char>(out[i - 1]);
        const bool latin1 = before == 0xc3 && c >= 0x80 && c <= 0x9e && c != 0x97; // U+00C0 to U+00DE but for the sign
        if ((c >= 'A' && c <= 'Z') || latin1) out[i] = static_cast<char>(c + 0x20);
    }
    return out;
}

void append_json(std::string& out, std::string_view text)
{
    out.push_back('"');
    std::size_t clean = 0; // runs that need no escape are copied whole: most texts are one run
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!needs_escape(text[i])) continue;
        out.append(text, clean, i - clean);
        append_escaped(out, text[i]);
        clean = i + 1;
    }
    out.append(text, clean, std::string_view::npos);
    out.push_back('"');
}

std::string json_text(std::string_view text)
{
    std::string out;
    append_json(out, text);
    return out;
}

std::string first_characters(std::string_view text, std::size_t count)
{
    std::size_t end = 0;
    while (end < text.size()) {
        const bool starts = (static_cast<unsigned char>(text[end]) & 0xc0) != 0x80;
        if (starts && count-- == 0) break;
        ++end;
    }
    return std::string{text.substr(0, end)};
}

} // namespace alli::sandbox
