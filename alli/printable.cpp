// SPDX-License-Identifier: Apache-2.0
#include "alli/printable.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli {

static unsigned byte_at(std::string_view text, std::size_t at)
{
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// The length of the escape sequence at the front (ECMA-48): CSI ends with a byte from @ to ~, OSC and similar with BEL
/// or ST.
static std::size_t escape_length(std::string_view text)
{
    const unsigned kind = byte_at(text, 1);
    std::size_t end = 2;
    if (kind == '[') {
        while (end < text.size() && (byte_at(text, end) < 0x40 || byte_at(text, end) > 0x7e)) ++end;
        return std::min(end + 1, text.size());
    }
    if (std::string_view("]PX^_").find(static_cast<char>(kind)) == std::string_view::npos || kind == 0)
        return std::min(end, text.size());
    while (end < text.size() && byte_at(text, end) != 7 && byte_at(text, end) != 0x1b) ++end;
    if (byte_at(text, end) == 0x1b && byte_at(text, end + 1) == '\\') ++end;
    return std::min(end + 1, text.size());
}

/// The length of the valid UTF-8 character at the front; 0 if there is none.
static std::size_t character_length(std::string_view text)
{
    const unsigned first = byte_at(text, 0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    const unsigned second = byte_at(text, 1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : length;
}

static bool is_control(std::string_view character)
{
    const unsigned first = byte_at(character, 0);
    if (character.size() == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
    return character.size() == 2 && first == 0xc2 && byte_at(character, 1) < 0xa0; // C1
}

std::string printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 0;
        if (text.front() == '\x1b') {
            length = escape_length(text);
        } else {
            length = character_length(text);
            if (length == 0)
                out += '?';
            else if (!is_control(text.substr(0, length)))
                out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string printable_line(std::string_view text)
{
    std::string line = printable(text);
    for (char& letter : line)
        if (letter == '\n' || letter == '\t') letter = ' ';
    return line;
}

std::string say_time(std::optional<Instant> when, const Zone& zone)
{
    if (!when) return "-";
    std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(*when), zone); // 2026-01-31T09:30:05Z
    const std::size_t date = text.find('T');
    const std::size_t offset = text.find_first_of("Z+-", date);
    const std::string shown = text[offset] == 'Z' ? "UTC" : text.substr(offset);
    return fmt::format("{} {} {}", text.substr(0, date), text.substr(date + 1, offset - date - 1), shown);
}

} // namespace alli
