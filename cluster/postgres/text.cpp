// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/text.hpp"

#include <simdjson.h>

#include <charconv>

namespace alli::cluster {
namespace {

bool is_continuation(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// How many bytes at the front are one character that fits; 0: the first byte does not fit.
std::size_t character_length(std::string_view bytes)
{
    if (bytes.front() == '\0') return 0;
    std::size_t length = 1;
    while (length < 4 && length < bytes.size() && is_continuation(bytes[length])) ++length;
    return simdjson::validate_utf8(bytes.data(), length) ? length : 0;
}

template <class Fits, class DoesNot>
void each_character(std::string_view bytes, Fits fits, DoesNot does_not)
{
    while (!bytes.empty()) {
        const std::size_t length = character_length(bytes);
        length > 0 ? fits(bytes.substr(0, length)) : does_not(bytes.front());
        bytes.remove_prefix(length > 0 ? length : 1);
    }
}

constexpr std::string_view hex_digits = "0123456789abcdef";

unsigned read_hex(std::string_view digits)
{
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return value;
}

/// The escapes \uXXXX of what is JSON: neither U+0000 nor half a pair.
bool has_whole_escapes(std::string_view json)
{
    for (std::size_t at = json.find('\\'); at != json.npos; at = json.find('\\', at)) {
        if (json[at + 1] != 'u') {
            at += 2;
            continue;
        }
        const unsigned unit = read_hex(json.substr(at + 2, 4));
        at += 6;
        if (unit == 0 || (unit >= 0xDC00 && unit < 0xE000)) return false;
        if (unit < 0xD800 || unit >= 0xE000) continue;
        const unsigned second = json.substr(at, 2) == "\\u" ? read_hex(json.substr(at + 2, 4)) : 0;
        if (second < 0xDC00 || second >= 0xE000) return false;
        at += 6;
    }
    return true;
}

constexpr std::size_t deepest = 500;

simdjson::dom::parser& json_parser()
{
    thread_local simdjson::dom::parser parser = [] {
        simdjson::dom::parser made;
        [[maybe_unused]] const auto full = made.allocate(1 << 16, deepest); // then parse() says so
        return made;
    }();
    return parser;
}

} // namespace

bool fits_text(std::string_view bytes)
{
    return bytes.find('\0') == bytes.npos && simdjson::validate_utf8(bytes.data(), bytes.size());
}

std::string escape_id(std::string_view id)
{
    if (id.find('\\') == id.npos && fits_text(id)) return std::string(id);
    std::string escaped;
    const auto keep = [&](std::string_view character) { escaped += character == "\\" ? "\\\\" : character; };
    each_character(id, keep, [&](char byte) {
        const auto value = static_cast<unsigned char>(byte);
        escaped += {'\\', 'x', hex_digits[value / 16U], hex_digits[value % 16U]};
    });
    return escaped;
}

std::string unescape_id(std::string_view escaped)
{
    std::string id;
    for (std::size_t at = 0; at < escaped.size(); ++at) {
        if (escaped[at] != '\\')
            id += escaped[at];
        else if (escaped.substr(at + 1, 1) == "x") {
            id += static_cast<char>(read_hex(escaped.substr(at + 2, 2)));
            at += 3;
        } else
            id += escaped[++at];
    }
    return id;
}

std::string readable_text(std::string_view bytes)
{
    if (fits_text(bytes)) return std::string(bytes);
    std::string text;
    each_character(
        bytes, [&](std::string_view character) { text += character; }, [&](char) { text += "\xEF\xBF\xBD"; });
    return text;
}

bool is_plain_json(std::string_view bytes)
{
    simdjson::dom::element root;
    return fits_text(bytes) && json_parser().parse(bytes.data(), bytes.size()).get(root) == simdjson::SUCCESS &&
           has_whole_escapes(bytes);
}

} // namespace alli::cluster
