// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/display_width.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace alli::daemon {
namespace {

std::size_t width_of(UChar32 letter)
{
    if (letter < 0x300) return 1;
    constexpr auto unseen = U_GC_MN_MASK | U_GC_ME_MASK | U_GC_CF_MASK;
    if ((U_GET_GC_MASK(letter) & unseen) != 0) return 0;
    if (letter >= 0x1160 && letter <= 0x11ff) return 0; // a vowel or final of a Hangul syllable written apart
    const int kind = u_getIntPropertyValue(letter, UCHAR_EAST_ASIAN_WIDTH);
    return kind == U_EA_WIDE || kind == U_EA_FULLWIDTH ? 2 : 1;
}

/// The width of the letter at `at`, which is moved behind it.
std::size_t step(std::string_view text, std::size_t& at)
{
    UChar32 letter = 0;
    auto place = static_cast<std::int32_t>(at);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    U8_NEXT(bytes, place, static_cast<std::int32_t>(text.size()), letter);
    at = static_cast<std::size_t>(place);
    return letter < 0 ? 1 : width_of(letter);
}

} // namespace

std::size_t display_width(std::string_view text)
{
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) width += step(text, at);
    return width;
}

std::string cut_to_width(std::string_view text, std::size_t width)
{
    std::size_t taken = 0, end = 0; // what fits in front of the dots
    for (std::size_t at = 0; at < text.size();) {
        taken += step(text, at);
        if (taken + 1 <= width) end = at;
        if (taken > width) return std::string(text.substr(0, end)) + "…";
    }
    return std::string(text);
}

} // namespace alli::daemon
