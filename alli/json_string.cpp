// SPDX-License-Identifier: Apache-2.0
#include "alli/json_string.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace alli {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

void append_utf8(std::string& out, std::uint32_t code)
{
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
    const auto tail = [&](int shift) { byte(0x80 | (code >> shift & 0x3f)); };
    if (code < 0x80) return byte(code);
    if (code < 0x800) return byte(0xc0 | code >> 6), tail(0);
    if (code < 0x10000) return byte(0xe0 | code >> 12), tail(6), tail(0);
    byte(0xf0 | code >> 18), tail(12), tail(6), tail(0);
}

// How many bytes of well-formed UTF-8 begin here: 0 for none (Unicode, table 3-7).
std::size_t utf8_length(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = at(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (at(1) < low || at(1) > high) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (at(i) < 0x80 || at(i) > 0xbf) return 0;
    return length;
}

std::optional<std::uint32_t> hex4(std::string_view text)
{
    if (text.size() < 4) return std::nullopt;
    std::uint32_t code = 0;
    for (const char c : text.substr(0, 4)) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        code = code << 4 | static_cast<std::uint32_t>(digit);
    }
    return code;
}

bool is_high(std::uint32_t code)
{
    return code >= 0xd800 && code < 0xdc00;
}

bool is_low(std::uint32_t code)
{
    return code >= 0xdc00 && code < 0xe000;
}

char unescaped(char c) // 0: not one of JSON's
{
    constexpr std::string_view from = "\"\\/bfnrt", to = "\"\\/\b\f\n\r\t";
    const auto at = from.find(c);
    return at == from.npos ? '\0' : to[at];
}

class Decoder {
  public:
    explicit Decoder(std::string_view left) : left_(left) { made_.text.reserve(left.size()); }

    DecodedText run() &&
    {
        while (!left_.empty()) {
            if (left_.front() == '\\')
                escape();
            else
                plain();
        }
        return std::move(made_);
    }

  private:
    void take(std::size_t count)
    {
        made_.text += left_.substr(0, count);
        left_.remove_prefix(count);
    }

    void replace(std::size_t count)
    {
        made_.text += replacement;
        made_.whole = false;
        left_.remove_prefix(std::min(count, left_.size()));
    }

    void plain()
    {
        std::size_t ascii = 0;
        while (ascii < left_.size() && left_[ascii] != '\\' && static_cast<unsigned char>(left_[ascii]) < 0x80) ++ascii;
        if (ascii > 0) return take(ascii);
        if (const std::size_t length = utf8_length(left_); length > 0) return take(length);
        replace(1);
    }

    void escape()
    {
        const char kind = left_.size() > 1 ? left_[1] : '\0';
        if (kind == 'u') return unit();
        const char said = unescaped(kind);
        if (said == '\0') return replace(1); // what follows the backslash may be a word
        made_.text += said;
        left_.remove_prefix(2);
    }

    void unit()
    {
        const auto first = hex4(left_.substr(2));
        if (!first) return replace(2);
        if (is_high(*first) && left_.substr(6).starts_with("\\u")) {
            const auto second = hex4(left_.substr(8));
            if (second && is_low(*second)) {
                append_utf8(made_.text, 0x10000 + ((*first - 0xd800) << 10) + (*second - 0xdc00));
                left_.remove_prefix(12);
                return;
            }
        }
        if (is_high(*first) || is_low(*first)) return replace(6);
        append_utf8(made_.text, *first);
        left_.remove_prefix(6);
    }

    std::string_view left_;
    DecodedText made_;
};

} // namespace

DecodedText decode_text(std::string_view inside)
{
    return Decoder(inside).run();
}

std::string quoted_text(std::string_view text)
{
    std::string out = "\"";
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        const std::size_t length = utf8_length(text);
        if (c == '"' || c == '\\')
            (out += '\\') += text.front();
        else if (c < 0x20)
            out += {'\\', 'u', '0', '0', "01"[c >> 4], "0123456789abcdef"[c & 15]};
        else
            out += length == 0 ? replacement : text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out += '"';
}

} // namespace alli
