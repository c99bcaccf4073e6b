// SPDX-License-Identifier: Apache-2.0
#include "cache/text/case_fold.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

// Han, kana and Hangul have no case: most of what is searched here, and it need not ask ICU.
bool is_caseless(UChar32 code)
{
    return (code >= 0x2e80 && code < 0xa640) || (code >= 0xac00 && code < 0xd800);
}

// All of it: then its bytes are all there is to compare.
bool is_caseless(std::string_view text)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 code = 0;
        U8_NEXT(bytes, at, size, code);
        if (code < 0 || !is_caseless(code)) return false;
    }
    return true;
}

UChar32 folded(UChar32 code)
{
    if (code < 0x80) return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
    return is_caseless(code) ? code : u_foldCase(code, U_FOLD_CASE_DEFAULT);
}

// The letter at `at`, folded, as UTF-8 into `out`; what is no UTF-8 stays as it is. Returns how many bytes came out.
std::size_t fold_letter(std::string_view text, std::size_t& at, std::array<char, U8_MAX_LENGTH>& out)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) {
        out[0] = static_cast<char>(folded(first));
        ++at;
        return 1;
    }
    const std::size_t from = at;
    auto next = static_cast<std::int32_t>(at);
    UChar32 code = 0;
    U8_NEXT(bytes, next, static_cast<std::int32_t>(text.size()), code);
    at = static_cast<std::size_t>(next);
    if (code < 0 || is_caseless(code)) {
        std::copy(text.begin() + static_cast<std::ptrdiff_t>(from), text.begin() + next, out.begin());
        return std::min<std::size_t>(at - from, out.size());
    }
    std::int32_t size = 0;
    U8_APPEND_UNSAFE(reinterpret_cast<std::uint8_t*>(out.data()), size, folded(code));
    return static_cast<std::size_t>(size);
}

bool begins_with(std::string_view text, std::size_t at, std::string_view term) noexcept
{
    std::array<char, U8_MAX_LENGTH> letter{};
    while (!term.empty()) {
        if (at >= text.size()) return false;
        const std::size_t size = fold_letter(text, at, letter);
        if (term.substr(0, size) != std::string_view(letter.data(), size)) return false;
        term.remove_prefix(size);
    }
    return true;
}

} // namespace

std::string folded_case(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    std::array<char, U8_MAX_LENGTH> letter{};
    for (std::size_t at = 0; at < text.size();) out.append(letter.data(), fold_letter(text, at, letter));
    return out;
}

namespace {

char small(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_ascii(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The long s and the Kelvin sign alone fold to ASCII letters.
bool may_fold_to_ascii(std::string_view text) noexcept
{
    return text.find("\xc5\xbf") != text.npos || text.find("\xe2\x84\xaa") != text.npos;
}

bool holds_ascii(std::string_view text, std::string_view term) noexcept
{
    const char first = term.front();
    for (std::size_t at = 0; at + term.size() <= text.size(); ++at) {
        if (small(text[at]) != first) continue;
        if (std::equal(term.begin(), term.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                       [](char wanted, char c) { return small(c) == wanted; }))
            return true;
    }
    return false;
}

} // namespace

bool holds_term(std::string_view text, std::string_view term) noexcept
{
    if (term.empty()) return true;
    if (is_ascii(term) && !may_fold_to_ascii(text)) return holds_ascii(text, term);
    if (is_caseless(term)) return text.find(term) != text.npos;
    std::array<char, U8_MAX_LENGTH> letter{};
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        const std::size_t size = fold_letter(text, at, letter);
        if (term.substr(0, size) == std::string_view(letter.data(), size) && begins_with(text, from, term)) return true;
    }
    return false;
}

} // namespace alli::cache
