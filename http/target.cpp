// SPDX-License-Identifier: Apache-2.0
#include "http/target.hpp"

#include "alli/error.hpp"
#include "alli/headers.hpp"

#include <algorithm>

namespace alli::http {
namespace {

constexpr std::string_view scheme = "http://";

bool is_absolute(std::string_view target) noexcept
{
    return target.size() > scheme.size() && same_name(target.substr(0, scheme.size()), scheme);
}

constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// Letters, digits and marks but '.' and '/': neither dot segment, nor control character, nor part of UTF-8.
bool is_plain(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '.' && c != '/'; });
}

bool has_control(std::string_view text)
{
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// How many bytes follow a lead byte, and the range of the first of them (Unicode 15, table 3-7).
struct Utf8Lead {
    unsigned char from, through;
    int more;
    unsigned char low, high;
};
constexpr Utf8Lead leads[] = {{0x00, 0x7f, 0, 0x80, 0xbf}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
                              {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf},
                              {0xf0, 0xf0, 3, 0x90, 0xbf}, {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f}};

bool is_utf8(std::string_view text)
{
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at++]);
        const auto* lead = std::find_if(std::begin(leads), std::end(leads),
                                        [&](const Utf8Lead& l) { return first >= l.from && first <= l.through; });
        if (lead == std::end(leads) || text.size() - at < static_cast<std::size_t>(lead->more)) return false;
        for (int i = 0; i < lead->more; ++i) {
            const auto next = static_cast<unsigned char>(text[at++]);
            if (next < (i == 0 ? lead->low : 0x80) || next > (i == 0 ? lead->high : 0xbf)) return false;
        }
    }
    return true;
}

std::string decode_part(std::string_view text, bool plus_is_blank)
{
    std::string plain(text);
    if (plus_is_blank) std::replace(plain.begin(), plain.end(), '+', ' ');
    auto decoded = percent_decoded(plain);
    if (!decoded) throw Error(Fault::usage, "write a percent sign as %25", "the query holds a broken percent escape");
    return std::move(*decoded);
}

} // namespace

std::optional<std::string> percent_decoded(std::string_view text)
{
    std::size_t at = text.find('%');
    if (at == text.npos) return std::string(text);
    std::string decoded;
    decoded.reserve(text.size());
    decoded += text.substr(0, at);
    for (; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += text[at];
            continue;
        }
        if (text.size() - at < 3) return std::nullopt;
        const int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        decoded += static_cast<char>(high * 16 + low);
        at += 2;
    }
    return decoded;
}

std::vector<std::string_view> split_path(std::string_view path)
{
    std::vector<std::string_view> parts;
    if (path.starts_with('/')) path.remove_prefix(1);
    for (;;) {
        const auto slash = path.find('/');
        parts.push_back(path.substr(0, slash));
        if (slash == path.npos) return parts;
        path.remove_prefix(slash + 1);
    }
}

std::string decode_segment(std::string_view segment)
{
    auto decoded = percent_decoded(segment);
    if (!decoded) throw Error(Fault::usage, "write a percent sign as %25", "the path holds a broken percent escape");
    if (is_plain(*decoded)) return std::move(*decoded);
    const std::vector<std::string_view> parts = split_path(*decoded);
    const bool climbs = std::any_of(parts.begin(), parts.end(), [](auto part) { return part == "." || part == ".."; });
    if (climbs) throw Error(Fault::usage, "", "the path holds a dot segment");
    if (has_control(*decoded)) throw Error(Fault::usage, "", "the path holds a control character");
    if (!is_utf8(*decoded)) throw Error(Fault::usage, "", "the path is not UTF-8");
    return std::move(*decoded);
}

std::vector<Parameter> read_query(std::string_view query)
{
    std::vector<Parameter> parameters;
    while (!query.empty()) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        std::string name = decode_part(pair.substr(0, equals), true);
        const std::string_view value = equals == pair.npos ? std::string_view{} : pair.substr(equals + 1);
        std::string decoded = decode_part(value, name != "cursor");
        parameters.push_back({std::move(name), std::move(decoded)});
    }
    return parameters;
}

SplitTarget split_target(std::string_view target)
{
    const auto mark = target.find('?');
    if (mark == target.npos) return {target, {}};
    return {target.substr(0, mark), target.substr(mark + 1)};
}

std::string_view origin_form(std::string_view target) noexcept
{
    if (!is_absolute(target)) return target;
    const auto path = target.find_first_of("/?", scheme.size());
    if (path == target.npos) return "/";
    return target.substr(path);
}

std::optional<std::string_view> target_authority(std::string_view target) noexcept
{
    if (!is_absolute(target)) return std::nullopt;
    target.remove_prefix(scheme.size());
    return target.substr(0, target.find_first_of("/?"));
}

} // namespace alli::http
