// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/key_text.hpp"

#include "alli/error.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace alli::daemon {
namespace {

using Text = std::u32string;
using View = std::u32string_view;

constexpr char32_t unreadable = U'\uFFFD';
constexpr std::size_t longest_key = 4096; // more than any header can carry

// One character of UTF-8 is taken off the front; a byte that begins none is `unreadable`.
char32_t take_character(std::string_view& bytes)
{
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    const unsigned first = byte(0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t letter = length == 1 ? first : first & (0x7fU >> length);
    bool sound = length > 0 && length <= bytes.size() && first < 0xf5;
    for (std::size_t at = 1; sound && at < length; ++at) {
        sound = (byte(at) & 0xc0U) == 0x80U;
        letter = letter << 6U | (byte(at) & 0x3fU);
    }
    bytes.remove_prefix(sound ? length : 1);
    return sound ? letter : unreadable;
}

Text from_utf8(std::string_view bytes)
{
    Text text;
    while (!bytes.empty()) text += take_character(bytes);
    return text;
}

// A key has no letter that needs two units: halves stay what they are, and are refused with the rest beyond ASCII.
Text from_utf16(std::string_view bytes, bool little)
{
    Text text;
    for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
        const auto low = static_cast<unsigned char>(bytes[at + (little ? 0 : 1)]);
        const auto high = static_cast<unsigned char>(bytes[at + (little ? 1 : 0)]);
        text += static_cast<char32_t>(high << 8U | low);
    }
    return text;
}

Text decode(std::string_view bytes)
{
    if (bytes.starts_with("\xff\xfe")) return from_utf16(bytes.substr(2), true);
    if (bytes.starts_with("\xfe\xff")) return from_utf16(bytes.substr(2), false);
    return from_utf8(bytes); // its mark is an invisible character at the front, and goes with the white space
}

std::string to_utf8(View text)
{
    std::string bytes;
    const auto put = [&](char32_t byte) { bytes += static_cast<char>(static_cast<unsigned char>(byte)); };
    for (const char32_t letter : text) {
        const int more = letter < 0x80 ? 0 : letter < 0x800 ? 1 : letter < 0x10000 ? 2 : 3;
        constexpr std::array<char32_t, 4> leads{0, 0xc0, 0xe0, 0xf0};
        put(leads[static_cast<std::size_t>(more)] | letter >> (6U * static_cast<unsigned>(more)));
        for (int at = more; at-- > 0;) put(0x80U | (letter >> (6U * static_cast<unsigned>(at)) & 0x3fU));
    }
    return bytes;
}

struct Range {
    char32_t first, last;
};
bool is_in(std::span<const Range> ranges, char32_t letter)
{
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](const Range& range) { return letter >= range.first && letter <= range.last; });
}

bool is_invisible(char32_t letter) // of no width: joiners, marks of direction and of byte order
{
    static constexpr auto ranges = std::to_array<Range>(
        {{0xad, 0xad}, {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x2069}, {0xfeff, 0xfeff}});
    return is_in(ranges, letter);
}

bool is_line_end(char32_t letter)
{
    return letter == U'\n' || letter == U'\r' || letter == 0x85 || letter == 0x2028 || letter == 0x2029;
}

bool is_blank(char32_t letter)
{
    static constexpr auto ranges = std::to_array<Range>({{'\t', '\t'},
                                                         {0x0b, 0x0c},
                                                         {' ', ' '},
                                                         {0xa0, 0xa0},
                                                         {0x1680, 0x1680},
                                                         {0x2000, 0x200a},
                                                         {0x202f, 0x202f},
                                                         {0x205f, 0x205f},
                                                         {0x3000, 0x3000}});
    return is_in(ranges, letter) || is_line_end(letter);
}

View trim(View text)
{
    const auto surrounds = [](char32_t letter) { return is_blank(letter) || is_invisible(letter); };
    while (!text.empty() && surrounds(text.front())) text.remove_prefix(1);
    while (!text.empty() && surrounds(text.back())) text.remove_suffix(1);
    return text;
}

std::string lower_ascii(View text) // '-' as '_', anything else as '?'
{
    std::string out;
    for (const char32_t letter : text) {
        const char plain = letter < 0x7f ? static_cast<char>(letter) : '?';
        out += plain >= 'A' && plain <= 'Z' ? static_cast<char>(plain - 'A' + 'a') : plain == '-' ? '_' : plain;
    }
    return out;
}

bool is_name_of_key(std::string_view name)
{
    static constexpr auto names = std::to_array<std::string_view>({"key", "apikey", "token", "secret"});
    return name == "authorization" || std::any_of(names.begin(), names.end(), [&](std::string_view one) {
               if (!name.ends_with(one)) return false;
               return name.size() == one.size() || name[name.size() - one.size() - 1] == '_';
           });
}

// "export ALLI_API_KEY=...", "API-KEY: ...", "api_key = ...". A key may end with = itself (base64).
bool is_assignment(View text)
{
    std::string words = lower_ascii(text);
    for (const std::string_view command : {"export ", "set ", "$env:", "environment="})
        if (words.starts_with(command)) words.erase(0, command.size());
    const auto end = words.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.");
    const auto sign = words.find_first_not_of(" \t", end);
    if (sign == words.npos || (words[sign] != '=' && words[sign] != ':')) return false;
    const std::string_view name = std::string_view(words).substr(0, end);
    return is_name_of_key(name) && (name == "alli_api_key" || words.find_first_not_of("= ", sign) != words.npos);
}

bool has_scheme(View text)
{
    const std::string words = lower_ascii(text);
    return words.starts_with("bearer ") || words.starts_with("basic ");
}

bool is_quote(char32_t letter)
{
    static constexpr View quotes = U"\"'`\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb\u300c\u300d\uff02\uff07";
    return quotes.find(letter) != quotes.npos;
}

bool is_quoted(View text)
{
    return is_quote(text.front()) || is_quote(text.back());
}

bool is_markup(View text) // also "<your key here>"
{
    static constexpr View opening = U"<{[", closing = U">}]";
    const auto kind = opening.find(text.front());
    return kind != opening.npos && text.back() == closing[kind];
}

bool is_of_lines(View text)
{
    return std::any_of(text.begin(), text.end(), &is_line_end);
}

bool is_too_long(View text)
{
    return text.size() > longest_key;
}

struct Mistake {
    bool (*is_made)(View text);
    const char *what, *hint;
};
constexpr auto mistakes = std::to_array<Mistake>({
    {&is_too_long, "is longer than any key", "is it the right file? it holds the key alone"},
    {&is_of_lines, "has several lines", "leave the one line that is the key, without names and comments"},
    {&is_assignment, "has a name before it", "leave out the name and what stands between it and the key"},
    {&has_scheme, "has a word before it, as a header has", "leave out Bearer: the key alone"},
    {&is_quoted, "stands in quotes", "take the quotes away: the key alone"},
    {&is_markup, "stands in brackets", "put the key itself there: no placeholder, no JSON, no markup"},
});

bool is_control(char32_t letter)
{
    return letter < 0x20 || (letter >= 0x7f && letter < 0xa0);
}

bool is_wide(char32_t letter)
{
    return letter >= 0xff01 && letter <= 0xff5e;
}

bool is_unreadable(char32_t letter)
{
    return letter == unreadable;
}

bool is_foreign(char32_t letter)
{
    return letter > 0x7e;
}

struct Intruder {
    bool (*is_it)(char32_t letter);
    const char *what, *hint;
};
constexpr auto intruders = std::to_array<Intruder>({
    {&is_blank, "a blank", "a key has none: was it cut in two, or another word pasted with it?"},
    {&is_invisible, "an invisible character", "pages have them between letters: type the key, or copy it elsewhere"},
    {&is_unreadable, "a byte that is no text", "save the file as UTF-8"},
    {&is_control, "a control character", "save it as plain text (UTF-8), the key alone"},
    {&is_wide, "a full-width character", "switch the input method off, and type the key again"},
    {&is_foreign, "a character beyond ASCII", "copy the key again: it is letters, digits and signs of ASCII"},
});

void refuse_intruders(View key, const std::string& what)
{
    for (std::size_t at = 0; at < key.size(); ++at)
        for (const Intruder& intruder : intruders)
            if (intruder.is_it(key[at]))
                throw Error(Fault::settings, intruder.hint, "{} holds {} (character {} of {})", what, intruder.what,
                            at + 1, key.size());
}

std::string checked(View key, const std::string& what)
{
    if (key.empty()) return {};
    for (const Mistake& mistake : mistakes)
        if (mistake.is_made(key)) throw Error(Fault::settings, mistake.hint, "{} {}", what, mistake.what);
    refuse_intruders(key, what);
    return {key.begin(), key.end()};
}

bool is_comment(View line)
{
    return line.starts_with(U'#') && (line.size() == 1 || is_blank(line[1]));
}

} // namespace

std::string read_key(std::string_view bytes, const std::string& what)
{
    const Text text = decode(bytes);
    return checked(trim(text), what);
}

std::vector<TextLine> read_text_lines(std::string_view bytes)
{
    const Text text = decode(bytes);
    std::vector<TextLine> lines;
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(U'\n', at), text.size());
        const View line = trim(View(text).substr(at, end - at));
        ++number;
        at = end + 1;
        if (!line.empty() && !is_comment(line)) lines.push_back({number, to_utf8(line)});
    }
    return lines;
}

bool is_text(std::string_view bytes)
{
    while (!bytes.empty()) {
        const std::size_t before = bytes.size();
        if (take_character(bytes) == unreadable && before - bytes.size() == 1) return false;
    }
    return true;
}

} // namespace alli::daemon
