// SPDX-License-Identifier: Apache-2.0
#include "cache/text/character.hpp"

#include "cache/text/kanji_forms.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf16.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace alli::cache {
namespace {

using Get = const UNormalizer2* (*)(UErrorCode*);

const UNormalizer2* instance(Get get) // they live as long as the process
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2* normalizer = get(&code);
    if (U_FAILURE(code)) throw std::runtime_error("ICU has no normalization data");
    return normalizer;
}

const UNormalizer2* nfc()
{
    static const UNormalizer2* const it = instance(unorm2_getNFCInstance);
    return it;
}

void normalize(const UNormalizer2* how, Segment& segment)
{
    Segment out;
    UErrorCode code = U_ZERO_ERROR;
    out.size = unorm2_normalize(how, segment.units.data(), segment.size, out.units.data(), Segment::capacity, &code);
    if (U_SUCCESS(code)) segment = out; // too long to expand: stays as it is, for index and query alike
}

UScriptCode script_of(UChar32 code)
{
    UErrorCode error = U_ZERO_ERROR;
    return uscript_getScript(code, &error);
}

std::uint32_t category_of(UChar32 code)
{
    return U_GET_GC_MASK(code);
}

constexpr bool is_between(UChar32 code, UChar32 first, UChar32 last)
{
    return code >= first && code <= last;
}

// Hangul letters that are typed alone, or that a sign shows alone. NFKC makes parts of syllables of them.
constexpr bool is_compatibility_jamo(UChar32 code)
{
    return is_between(code, 0x3131, 0x318e);
}

constexpr bool is_narrow_jamo(UChar32 code)
{
    return is_between(code, 0xffa1, 0xffdc);
}

constexpr bool is_hangul_blank(UChar32 code) // shown as a space
{
    return code == 0x3164 || code == 0xffa0;
}

/// A part of a syllable that found no partner, as the letter that people type.
UChar32 letter_of_part(UChar32 part)
{
    constexpr std::u16string_view initials = u"ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
    constexpr std::u16string_view finals = u"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
    constexpr UChar32 first_vowel = 0x314f;
    if (is_between(part, 0x1100, 0x1112)) return initials[static_cast<std::size_t>(part - 0x1100)];
    if (is_between(part, 0x1161, 0x1175)) return part - 0x1161 + first_vowel;
    if (is_between(part, 0x11a8, 0x11c2)) return finals[static_cast<std::size_t>(part - 0x11a8)];
    return part;
}

struct Spelling {
    UChar from, to;
};
// Letters with a stroke do not decompose, but nobody types it. Of Arabic and Persian letters those that keyboards of
// the one lack and those that are written for each other.
constexpr auto spellings = std::to_array<Spelling>({
    {0x142, 'l'},   {0xf8, 'o'},    {0x111, 'd'},   {0x127, 'h'},   {0x131, 'i'},   {0x167, 't'},   {0x180, 'b'},
    {0x268, 'i'},   {0x629, 0x647}, {0x649, 0x64a}, {0x671, 0x627}, {0x6a9, 0x643}, {0x6aa, 0x643}, {0x6c0, 0x647},
    {0x6c1, 0x647}, {0x6c2, 0x647}, {0x6cc, 0x64a}, {0x6d2, 0x64a}, {0x6d3, 0x64a},
});

bool is_digit(UChar32 code)
{
    return category_of(code) == U_GC_ND_MASK;
}

UChar32 spelled(UChar32 code)
{
    if (code < 0x80) return code;
    for (const Spelling& spelling : spellings)
        if (code == spelling.from) return spelling.to;
    if (is_digit(code)) return '0' + u_charDigitValue(code);
    return static_cast<UChar32>(current_form(static_cast<char32_t>(letter_of_part(code))));
}

bool is_mark(UChar32 code)
{
    return (category_of(code) & U_GC_M_MASK) != 0;
}

// The line that lengthens a word, and the small letters of Quran editions.
bool is_ornament(UChar32 code)
{
    return code == 0x640 || code == 0x6e5 || code == 0x6e6;
}

// After composition: a mark of no script that is still there makes no letter.
bool is_left_over(UChar32 code)
{
    return is_ornament(code) || (code >= 0x80 && is_mark(code) && script_of(code) == USCRIPT_INHERITED);
}

/// Replaces each character by what `change` says; a negative one goes.
template <class Change>
void rewrite(Segment& segment, Change change)
{
    std::int32_t kept = 0;
    for (std::int32_t at = 0; at < segment.size;) {
        UChar32 code;
        U16_NEXT(segment.units, at, segment.size, code);
        const UChar32 to = change(code);
        if (to >= 0) U16_APPEND_UNSAFE(segment.units, kept, to); // never longer than what it replaces
    }
    segment.size = kept;
}

void unite_spellings(Segment& segment)
{
    rewrite(segment, [](UChar32 code) { return is_left_over(code) ? -1 : spelled(code); });
}

bool loses_marks(UScriptCode script)
{
    constexpr std::array scripts{USCRIPT_LATIN, USCRIPT_GREEK, USCRIPT_CYRILLIC, USCRIPT_ARABIC, USCRIPT_HEBREW};
    return std::find(scripts.begin(), scripts.end(), script) != scripts.end();
}

// The vowels and signs of these stand on spaces as well.
bool is_semitic_mark(UChar32 code)
{
    const UScriptCode script = script_of(code);
    return script == USCRIPT_ARABIC || script == USCRIPT_HEBREW;
}

// With these a hamza is another letter; on an alef it is written or not.
bool keeps_hamza(UChar32 base)
{
    constexpr std::array<UChar32, 5> bases{0x648, 0x64a, 0x6c1, 0x6d2, 0x6d5};
    return std::find(bases.begin(), bases.end(), base) != bases.end();
}

void strip_marks(Segment& segment) // of one in NFD
{
    UChar32 base = 0;
    bool strips = false;
    rewrite(segment, [&](UChar32 code) {
        if (u_getCombiningClass(code) == 0) {
            base = code;
            strips = loses_marks(script_of(code));
            return code;
        }
        const bool hamza = is_between(code, 0x654, 0x655) && keeps_hamza(base);
        return !hamza && (strips || is_semitic_mark(code)) ? -1 : code;
    });
}

bool is_unspaced(UChar32 code)
{
    switch (script_of(code)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_YI:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
    case USCRIPT_TIBETAN:
        return true;
    default:
        return code == 0x30fc; // the long vowel of both kana
    }
}

void append(Segment& segment, UChar32 code)
{
    U16_APPEND_UNSAFE(segment.units, segment.size, code);
}

void append(Segment& segment, const Segment& more)
{
    const auto room = static_cast<std::int32_t>(Segment::capacity) - segment.size;
    if (more.size > room) return;
    std::copy_n(more.units.begin(), more.size, segment.units.begin() + segment.size);
    segment.size += more.size;
}

Segment compatibility_form(UChar32 code)
{
    static const UNormalizer2* const nfkc_casefold = instance(unorm2_getNFKCCasefoldInstance);
    static const UNormalizer2* const nfkc = instance(unorm2_getNFKCInstance);
    Segment made;
    append(made, code);
    if (!is_narrow_jamo(code)) {
        normalize(nfkc_casefold, made);
        return made;
    }
    UErrorCode error = U_ZERO_ERROR;
    UChar wide[4];
    const std::int32_t size = unorm2_getRawDecomposition(nfkc, code, wide, 4, &error);
    if (U_SUCCESS(error) && size == 1) made.units[0] = wide[0];
    return made;
}

UDecompositionType decomposition_of(UChar32 code)
{
    return static_cast<UDecompositionType>(u_getIntPropertyValue(code, UCHAR_DECOMPOSITION_TYPE));
}

bool is_pictograph(UChar32 code)
{
    return u_hasBinaryProperty(code, UCHAR_EXTENDED_PICTOGRAPHIC) != 0;
}

bool is_one_ideograph(UChar32 code) // the radicals that a copy out of a PDF has in the place of letters
{
    const Segment form = compatibility_form(code);
    return form.size == 1 && script_of(form.units[0]) == USCRIPT_HAN;
}

constexpr std::uint32_t letters_and_digits = U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK;

// One that stands for letters or digits, as a word of its own. What Unicode calls a letter or a digit is one in another
// dress; units (㎏, ㌔) and small digits below (CO₂) are read as they stand.
bool is_sign(UChar32 code)
{
    constexpr std::array in_place{U_DT_CANONICAL, U_DT_WIDE,    U_DT_NARROW, U_DT_SMALL,
                                  U_DT_VERTICAL,  U_DT_NOBREAK, U_DT_SUB};
    if (code < 0x80) return false;
    const UDecompositionType type = decomposition_of(code);
    const std::uint32_t category = category_of(code);
    if (type == U_DT_NONE) return category == U_GC_NO_MASK && script_of(code) == USCRIPT_COMMON; // ❶
    if (std::find(in_place.begin(), in_place.end(), type) != in_place.end()) return false;
    if (type == U_DT_SQUARE && is_between(code, 0x32cc, 0x33ff)) return false;
    if (type == U_DT_COMPAT && is_one_ideograph(code)) return false;
    return (category & letters_and_digits) == 0 || is_pictograph(code);
}

} // namespace

void append_mapped(Segment& segment, UChar32 code)
{
    if (is_hangul_blank(code) || encloses(code)) return append(segment, ' ');
    const bool stays = U_IS_SURROGATE(code) || is_compatibility_jamo(code) || code == UChar32{soft_break};
    if (stays) return append(segment, code);
    Segment form = compatibility_form(code);
    if (!is_sign(code)) return append(segment, form);
    unite_spellings(form); // nothing behind it composes with it
    append(segment, ' ');
    append(segment, form);
    append(segment, ' ');
}

bool encloses(UChar32 code)
{
    return category_of(code) == U_GC_ME_MASK;
}

void fold(Segment& segment)
{
    static const UNormalizer2* const nfd = instance(unorm2_getNFDInstance);
    normalize(nfd, segment);
    strip_marks(segment);
    normalize(nfc(), segment);
    unite_spellings(segment);
}

bool begins_segment(UChar32 code)
{
    Segment mapped;
    append_mapped(mapped, code);
    if (mapped.size == 0 || is_left_over(code)) return false;
    UChar32 first;
    std::int32_t at = 0;
    U16_NEXT(mapped.units, at, mapped.size, first);
    return unorm2_hasBoundaryBefore(nfc(), first) != 0;
}

LetterKind kind_of(UChar32 code)
{
    constexpr std::uint32_t letters = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
    const std::uint32_t category = category_of(code);
    if ((category & letters) != 0)
        return !is_digit(code) && is_unspaced(code) ? LetterKind::unspaced : LetterKind::word;
    const bool emoji = is_pictograph(code) || u_hasBinaryProperty(code, UCHAR_REGIONAL_INDICATOR);
    return emoji && category == U_GC_SO_MASK ? LetterKind::unspaced : LetterKind::separator;
}

} // namespace alli::cache
