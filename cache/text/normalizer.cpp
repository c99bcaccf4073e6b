// SPDX-License-Identifier: Apache-2.0
#include "cache/text/normalizer.hpp"

#include "cache/text/character.hpp"

#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <array>
#include <atomic>
#include <memory>
#include <utility>

namespace alli::cache {
namespace {

// What becomes of one code point on its own.
struct Fate {
    std::uint32_t code : 21;
    std::uint32_t kind : 2;
    std::uint32_t boundary : 1; // never composes with what is before it
    std::uint32_t single : 1;   // becomes exactly one code point: `code`
    std::uint32_t encloses : 1; // makes a sign of what is before it
};

Fate fate_of(UChar32 code)
{
    Segment segment;
    append_mapped(segment, code);
    if (!U_IS_SURROGATE(code)) fold(segment);
    UChar32 folded = code;
    std::int32_t at = 0;
    if (segment.size > 0) U16_NEXT(segment.units, at, segment.size, folded);
    Fate fate{};
    fate.code = static_cast<std::uint32_t>(folded) & 0x1fffffU;
    fate.boundary = begins_segment(code);
    fate.encloses = encloses(code);
    fate.single = segment.size > 0 && at == segment.size;
    fate.kind = static_cast<std::uint32_t>(kind_of(fate.single != 0 ? folded : code)) & 3U;
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

char32_t Normalizer::peek(std::size_t number) const
{
    for (std::size_t at = at_; at < text_.size(); --number) {
        const Decoded here = decode(text_, at);
        if (here.code < 0) return 0;
        if (number == 0) return fate(here.code).code;
        at = here.end;
    }
    return 0;
}

inline bool Normalizer::next_folded(Letter& letter)
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

bool Normalizer::next(Letter& letter)
{
    if (ends_word_) return end_word(letter);
    if (!next_folded(letter)) return false;
    const bool before = std::exchange(in_word_, letter.kind == LetterKind::word);
    if (in_word_ && !before) begin_word(letter.code);
    return true;
}

bool Normalizer::end_word(Letter& letter)
{
    if (suffix_ > 0) {
        --suffix_;
        if (!next_folded(letter)) return false;
        if (letter.code == '+' || letter.code == '#') letter.kind = LetterKind::word;
        return true;
    }
    ends_word_ = in_word_ = false;
    const auto here = static_cast<std::uint32_t>(at_);
    letter = {' ', LetterKind::separator, here, here};
    return true;
}

// "v1.2" holds the number 1.2; C++ and C# are words.
void Normalizer::begin_word(char32_t first)
{
    if (first < 'a' || first > 'z' || at_ >= text_.size() || pending_at_ < pending_end_) return;
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte > '9' && byte < 0x80) return; // the usual: another letter
    const char32_t second = peek(0);
    if (second == '#') suffix_ = 1;
    if (second == '+' && peek(1) == '+' && peek(2) != '+') suffix_ = 2;
    ends_word_ = suffix_ > 0 || (first == 'v' && second >= '0' && second <= '9');
}

bool Normalizer::next_slowly(Letter& letter)
{
    while (pending_at_ == pending_end_) {
        if (at_ >= text_.size()) return false;
        if (decode(text_, at_).code < 0) return next_folded(letter);
        fold_segment();
    }
    const auto code = pending_[pending_at_++];
    letter = {code, static_cast<LetterKind>(fate(static_cast<UChar32>(code)).kind), segment_begin_,
              static_cast<std::uint32_t>(at_)};
    return true;
}

void Normalizer::fold_segment()
{
    Segment segment;
    segment_begin_ = static_cast<std::uint32_t>(at_);
    std::size_t taken = 0;
    bool enclosed = false;
    do {
        const Decoded here = decode(text_, at_);
        enclosed = enclosed || fate(here.code).encloses != 0;
        if (++taken <= most_pending / 4) append_mapped(segment, here.code);
        at_ = here.end;
    } while (!begins_segment(text_, at_));

    fold(segment);
    pending_at_ = pending_end_ = 0;
    if (enclosed) pending_[pending_end_++] = ' ';
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
