// SPDX-License-Identifier: Apache-2.0
#include "cache/letters.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <stdexcept>

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

const UNormalizer2* nfkc_casefold()
{
    static const UNormalizer2* const it = instance(unorm2_getNFKCCasefoldInstance);
    return it;
}

constexpr std::size_t segment_size =
    512; // UTF-16 units: 64 letters of the worst expansion but one (U+FDFA alone is 18)

struct Segment {
    std::array<UChar, segment_size> units;
    std::int32_t size = 0;
};

void normalize(const UNormalizer2* how, Segment& segment)
{
    Segment out;
    UErrorCode code = U_ZERO_ERROR;
    out.size = unorm2_normalize(how, segment.units.data(), segment.size, out.units.data(), segment_size, &code);
    if (U_SUCCESS(code)) segment = out; // too long to expand: stays as it is, for index and query alike
}

bool loses_marks(char32_t code)
{
    UErrorCode error = U_ZERO_ERROR;
    const UScriptCode script = uscript_getScript(static_cast<UChar32>(code), &error);
    return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC;
}

void strip_marks(Segment& segment) // of one in NFD
{
    std::int32_t kept = 0;
    bool strip = false;
    for (std::int32_t at = 0; at < segment.size;) {
        const std::int32_t from = at;
        UChar32 code;
        U16_NEXT(segment.units, at, segment.size, code);
        const bool mark = u_getCombiningClass(code) != 0;
        if (!mark) strip = loses_marks(static_cast<char32_t>(code));
        if (mark && strip) continue;
        for (std::int32_t unit = from; unit < at; ++unit)
            segment.units[static_cast<std::size_t>(kept++)] = segment.units[static_cast<std::size_t>(unit)];
    }
    segment.size = kept;
}

struct Stroke { // letters with a stroke do not decompose, but nobody types it
    UChar from, to;
};
constexpr auto strokes = std::to_array<Stroke>(
    {{0x142, 'l'}, {0xf8, 'o'}, {0x111, 'd'}, {0x127, 'h'}, {0x131, 'i'}, {0x167, 't'}, {0x180, 'b'}, {0x268, 'i'}});

void fold(Segment& segment)
{
    normalize(nfkc_casefold(), segment);
    static const UNormalizer2* const nfd = instance(unorm2_getNFDInstance);
    static const UNormalizer2* const nfc = instance(unorm2_getNFCInstance);
    normalize(nfd, segment);
    strip_marks(segment);
    normalize(nfc, segment);
    for (UChar& unit : std::span(segment.units.data(), static_cast<std::size_t>(segment.size)))
        for (const Stroke& stroke : strokes)
            if (unit == stroke.from) unit = stroke.to;
}

bool is_unspaced(UChar32 code)
{
    switch (UErrorCode error = U_ZERO_ERROR; uscript_getScript(code, &error)) {
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

LetterKind kind_of(UChar32 code)
{
    constexpr std::uint32_t letters = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
    const std::uint32_t category = U_GET_GC_MASK(code);
    if ((category & letters) != 0) {
        const bool digit = category == U_GC_ND_MASK;
        return !digit && is_unspaced(code) ? LetterKind::unspaced : LetterKind::word;
    }
    const bool emoji =
        u_hasBinaryProperty(code, UCHAR_EXTENDED_PICTOGRAPHIC) || u_hasBinaryProperty(code, UCHAR_REGIONAL_INDICATOR);
    return emoji && category == U_GC_SO_MASK ? LetterKind::unspaced : LetterKind::separator;
}

// What becomes of one code point on its own.
struct Fate {
    std::uint32_t code : 21;
    std::uint32_t kind : 2;
    std::uint32_t boundary : 1; // never composes with what is before it
    std::uint32_t single : 1;   // becomes exactly one code point: `code`
};

Fate fate_of(UChar32 code)
{
    Segment segment;
    const bool surrogate = U_IS_SURROGATE(code);
    U16_APPEND_UNSAFE(segment.units, segment.size, code);
    if (!surrogate) fold(segment);
    UChar32 folded = code;
    std::int32_t at = 0;
    if (segment.size > 0) U16_NEXT(segment.units, at, segment.size, folded);
    Fate fate{};
    fate.code = static_cast<std::uint32_t>(folded) & 0x1fffffU;
    fate.kind = static_cast<std::uint32_t>(kind_of(folded)) & 3U;
    fate.boundary = unorm2_hasBoundaryBefore(nfkc_casefold(), code) != 0;
    fate.single = segment.size > 0 && at == segment.size;
    return fate;
}

// The first plane, in pages that are made when first needed: most programs meet a dozen of them.
using Page = std::array<Fate, 256>;
std::array<std::atomic<const Page*>, 256> pages;

const Page& make_page(std::size_t number)
{
    auto page = std::make_unique<Page>();
    for (std::size_t i = 0; i < page->size(); ++i) (*page)[i] = fate_of(static_cast<UChar32>(number * 256 + i));
    const Page* expected = nullptr; // another thread may have been faster
    if (pages[number].compare_exchange_strong(expected, page.get(), std::memory_order_acq_rel)) return *page.release();
    return *expected;
}

Fate fate(UChar32 code)
{
    if (code > 0xffff) return fate_of(code);
    const auto number = static_cast<std::size_t>(code) >> 8U;
    const Page* page = pages[number].load(std::memory_order_acquire);
    return (page != nullptr ? *page : make_page(number))[static_cast<std::size_t>(code) & 0xffU];
}

struct Decoded {
    UChar32 code; // negative: no UTF-8
    std::size_t end;
};

Decoded decode(std::string_view text, std::size_t at)
{
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return {first, at + 1};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    auto next = static_cast<std::int64_t>(at);
    const auto size = static_cast<std::int64_t>(text.size());
    UChar32 code;
    U8_NEXT(bytes, next, size, code);
    return {code, static_cast<std::size_t>(next)};
}

bool begins_segment(std::string_view text, std::size_t at)
{
    if (at >= text.size() || static_cast<unsigned char>(text[at]) < 0x80) return true;
    const Decoded next = decode(text, at);
    return next.code < 0 || fate(next.code).boundary != 0;
}

} // namespace

bool Letters::next(Letter& letter)
{
    if (pending_at_ < pending_end_ || at_ >= text_.size()) return next_slowly(letter);
    const Decoded here = decode(text_, at_);
    if (here.code < 0) {
        letter = {0xfffd, LetterKind::separator, static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(here.end)};
        at_ = here.end;
        return true;
    }
    const Fate known = fate(here.code);
    if (known.single == 0 || !begins_segment(text_, here.end)) return next_slowly(letter);
    letter = {known.code, static_cast<LetterKind>(known.kind), static_cast<std::uint32_t>(at_),
              static_cast<std::uint32_t>(here.end)};
    at_ = here.end;
    return true;
}

bool Letters::next_slowly(Letter& letter)
{
    while (pending_at_ == pending_end_) {
        if (at_ >= text_.size()) return false;
        if (decode(text_, at_).code < 0) return next(letter);
        fold_segment();
    }
    const auto code = pending_[pending_at_++];
    letter = {code, static_cast<LetterKind>(fate(static_cast<UChar32>(code)).kind), segment_begin_,
              static_cast<std::uint32_t>(at_)};
    return true;
}

void Letters::fold_segment()
{
    Segment segment;
    segment_begin_ = static_cast<std::uint32_t>(at_);
    std::size_t taken = 0;
    do {
        const Decoded here = decode(text_, at_);
        if (++taken <= most_pending / 4) U16_APPEND_UNSAFE(segment.units, segment.size, here.code);
        at_ = here.end;
    } while (!begins_segment(text_, at_));

    fold(segment);
    pending_at_ = pending_end_ = 0;
    for (std::int32_t at = 0; at < segment.size && pending_end_ < most_pending;) {
        UChar32 code;
        U16_NEXT(segment.units, at, segment.size, code);
        pending_[pending_end_++] = static_cast<char32_t>(code);
    }
}

void append_utf8(std::string& text, char32_t code)
{
    std::array<std::uint8_t, U8_MAX_LENGTH> bytes;
    std::size_t size = 0;
    if (U_IS_SURROGATE(static_cast<UChar32>(code)) || code > 0x10ffff) code = 0xfffd;
    U8_APPEND_UNSAFE(bytes, size, static_cast<UChar32>(code));
    text.append(reinterpret_cast<const char*>(bytes.data()), size);
}

} // namespace alli::cache
