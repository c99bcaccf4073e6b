// SPDX-License-Identifier: Apache-2.0
#include "cache/text/mask.hpp"

#include "alli/digest.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace alli::cache {
namespace {

/// A text as narrow characters, each with the bytes it stands for: what is no ASCII in any form is one letter of its
/// own.
struct Narrow {
    std::string text;                // one char each
    std::vector<std::size_t> begins; // in the text that was given; one more than there are chars

    static constexpr char other = '\x01'; // a letter of another script
};

// As far as what follows belongs to it: of what is no UTF-8 a byte is a character.
std::size_t length_at(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(text[n]); };
    const std::size_t most = byte(at) < 0xc0 ? 1 : byte(at) < 0xe0 ? 2 : byte(at) < 0xf0 ? 3 : 4;
    std::size_t length = 1;
    while (length < most && at + length < text.size() && (byte(at + length) & 0xc0U) == 0x80U) ++length;
    return length;
}

// Full-width forms (U+FF01 to U+FF5E), and the hyphens and blanks that people part numbers with.
char narrow(std::string_view character)
{
    if (character.size() == 1) return static_cast<unsigned char>(character[0]) < 0x80 ? character[0] : Narrow::other;
    for (const std::string_view hyphen : {"‐", "‑", "‒", "–", "—", "−", "ー", "﹣"})
        if (character == hyphen) return '-';
    for (const std::string_view blank : {"\u00a0", "\u3000", "\u2009", "\u202f"})
        if (character == blank) return ' ';
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(character[at]); };
    if (character.size() != 3 || byte(0) != 0xef) return Narrow::other;
    if (byte(1) == 0xbc && byte(2) >= 0x81) return static_cast<char>(byte(2) - 0x81 + '!');
    if (byte(1) == 0xbd && byte(2) <= 0x9e) return static_cast<char>(byte(2) - 0x80 + '`');
    return Narrow::other;
}

Narrow narrowed(std::string_view text)
{
    Narrow made;
    for (std::size_t at = 0; at < text.size(); at += length_at(text, at)) {
        made.begins.push_back(at);
        made.text += narrow(text.substr(at, length_at(text, at)));
    }
    made.begins.push_back(text.size());
    return made;
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Found {
    std::size_t begin, end; // chars
    std::string_view kind;
};

// ---- e-mail

bool is_local(char c)
{
    return is_letter(c) || is_digit(c) || std::string_view(".!#$%&'*+/=?^_`{|}~-").find(c) != std::string_view::npos;
}

std::size_t end_of_domain(std::string_view text, std::size_t at)
{
    std::size_t end = at, whole = 0; // whole: up to the last label that may be a top-level domain
    for (;;) {
        const std::size_t label = end;
        while (end < text.size() && (is_letter(text[end]) || is_digit(text[end]) || text[end] == '-')) ++end;
        std::size_t last = end;
        while (last > label && text[last - 1] == '-') --last;
        const std::string_view name = text.substr(label, last - label);
        const bool letters = name.size() >= 2 && std::all_of(name.begin(), name.end(), is_letter);
        if (label > at && (letters || name.starts_with("xn--"))) whole = last;
        if (name.empty() || last != end || end >= text.size() || text[end] != '.') return whole;
        ++end;
    }
}

std::optional<Found> email_around(std::string_view text, std::size_t at_sign)
{
    std::size_t begin = at_sign;
    while (begin > 0 && is_local(text[begin - 1])) --begin;
    while (begin < at_sign && !is_letter(text[begin]) && !is_digit(text[begin]) && text[begin] != '_') ++begin;
    const std::size_t end = end_of_domain(text, at_sign + 1);
    if (begin == at_sign || end == 0) return std::nullopt;
    return Found{begin, end, "[email]"};
}

// ---- numbers

/// Digits with the signs between them: "+82 (0)10-1234-5678".
struct Number {
    std::size_t begin, end;
    std::string digits;
    std::vector<std::size_t> groups; // their lengths
    bool plus = false, hyphens = false, separated = false;
};

bool may_part(char c)
{
    return c == '-' || c == ' ' || c == '.' || c == '(' || c == ')';
}

// From the digit, bracket or plus at `at`: groups of digits that at most two signs part.
std::optional<Number> number_at(std::string_view text, std::size_t at)
{
    Number number{at, at, {}, {}};
    std::size_t end = at;
    if (text[end] == '+') number.plus = true, ++end;
    if (end < text.size() && text[end] == '(') ++end;
    if (end >= text.size() || !is_digit(text[end])) return std::nullopt;
    for (;;) {
        const std::size_t group = end;
        while (end < text.size() && is_digit(text[end])) number.digits += text[end++];
        number.groups.push_back(end - group);
        number.end = end;
        std::size_t next = end;
        while (next < text.size() && next < end + 2 && may_part(text[next])) ++next;
        if (next == end || next >= text.size() || !is_digit(text[next])) return number;
        number.separated = true;
        number.hyphens = number.hyphens || text.substr(end, next - end).find('-') != std::string_view::npos;
        end = next;
    }
}

int sum_of_luhn(std::string_view digits)
{
    int sum = 0;
    for (std::size_t n = 0; n < digits.size(); ++n) {
        int value = digits[digits.size() - 1 - n] - '0';
        if (n % 2 == 1) value = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += value;
    }
    return sum;
}

bool is_card(const Number& number)
{
    const std::string& digits = number.digits;
    if (number.plus || digits.size() < 14 || digits.size() > 19 || digits[0] < '2' || digits[0] > '6') return false;
    if (number.separated && number.groups[0] != 4) return false;
    return sum_of_luhn(digits) % 10 == 0;
}

bool is_month_and_day(std::string_view four)
{
    const int month = (four[0] - '0') * 10 + four[1] - '0', day = (four[2] - '0') * 10 + four[3] - '0';
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

// Since 2020 the last digits are drawn by lot: only what is written without a hyphen needs the old check digit.
bool is_rrn(const Number& number)
{
    const std::string& digits = number.digits;
    if (number.plus || digits.size() != 13 || !is_month_and_day(std::string_view(digits).substr(2, 4))) return false;
    if (digits[6] < '1' || digits[6] > '8') return false;
    if (number.groups == std::vector<std::size_t>{6, 7}) return true;
    if (number.separated) return false;
    int sum = 0;
    for (std::size_t n = 0; n < 12; ++n) sum += (digits[n] - '0') * static_cast<int>(n % 8 + 2);
    const int check = (11 - sum % 11) % 10;
    return check == digits[12] - '0' || (check + 2) % 10 == digits[12] - '0'; // the other one: of foreigners
}

bool is_mynumber(const Number& number)
{
    const std::string& digits = number.digits;
    if (number.plus || digits.size() != 12) return false;
    if (number.separated && number.groups != std::vector<std::size_t>{4, 4, 4}) return false;
    int sum = 0;
    for (std::size_t n = 1; n <= 11; ++n) sum += (digits[11 - n] - '0') * static_cast<int>(n <= 6 ? n + 1 : n - 5);
    const int check = sum % 11 <= 1 ? 0 : 11 - sum % 11;
    return check == digits[11] - '0';
}

// Within a country numbers begin with 0 there, or have one of a few forms that do not.
bool is_national_phone(const Number& number)
{
    const std::string& digits = number.digits;
    const auto& groups = number.groups;
    const bool north_american = digits.size() == 10 && digits[0] >= '2' && digits[3] >= '2';
    if (digits[0] == '1' && groups == std::vector<std::size_t>{4, 4}) // 1588-1234
        return number.hyphens && digits[1] >= '5' && digits[1] <= '8';
    if (digits[0] != '0') return north_american && groups == std::vector<std::size_t>{3, 3, 4};
    if (digits.size() < 9 || digits.size() > 11) return false;
    if (!number.separated) return digits.size() >= 10 || digits.starts_with("02");
    return groups.size() <= 4 && groups[0] >= 2 && groups[0] <= 5 && groups.back() >= 3;
}

bool is_phone(const Number& number)
{
    const std::size_t size = number.digits.size();
    if (number.plus) return size >= 8 && size <= 15;
    return is_national_phone(number);
}

struct Kind {
    bool (*is)(const Number& number);
    std::string_view mark;
};
constexpr auto kinds = std::to_array<Kind>({
    {&is_rrn, "[rrn]"},
    {&is_card, "[card]"},
    {&is_phone, "[phone]"},
    {&is_mynumber, "[mynumber]"},
});

// A number may be followed by another behind a blank: then fewer groups are looked at.
Number without_last_group(Number number, std::string_view text)
{
    number.digits.resize(number.digits.size() - number.groups.back());
    number.groups.pop_back();
    std::size_t left = number.digits.size(), end = number.begin;
    for (; left > 0; ++end) left -= is_digit(text[end]) ? 1 : 0;
    number.end = end;
    number.separated = number.groups.size() > 1;
    return number;
}

std::optional<Found> number_found(std::string_view text, std::size_t at)
{
    auto number = number_at(text, at);
    if (!number) return std::nullopt;
    for (;; number = without_last_group(*number, text)) {
        const bool ends = number->end >= text.size() || (!is_digit(text[number->end]) && !is_letter(text[number->end]));
        for (const Kind& kind : kinds)
            if (ends && kind.is(*number)) return Found{number->begin, number->end, kind.mark};
        if (number->groups.size() <= 1) return std::nullopt;
    }
}

bool may_begin_number(std::string_view text, std::size_t at)
{
    const char c = text[at];
    if (!is_digit(c) && c != '+' && c != '(') return false;
    return at == 0 || (!is_digit(text[at - 1]) && !is_letter(text[at - 1]) && text[at - 1] != '_' &&
                       !(at > 1 && may_part(text[at - 1]) && text[at - 1] != ' ' && is_digit(text[at - 2])));
}

std::vector<Found> find_all(std::string_view text)
{
    std::vector<Found> found;
    for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1))
        if (const auto email = email_around(text, at); email && (found.empty() || email->begin >= found.back().end))
            found.push_back(*email);
    std::vector<Found> numbers;
    std::size_t next_email = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        while (next_email < found.size() && found[next_email].end <= at) ++next_email;
        if (next_email < found.size() && found[next_email].begin <= at) continue;
        if (!may_begin_number(text, at)) continue;
        const auto number = number_found(text, at);
        if (!number) continue;
        numbers.push_back(*number);
        at = number->end - 1;
    }
    found.insert(found.end(), numbers.begin(), numbers.end());
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.begin < b.begin; });
    return found;
}

} // namespace

std::string mask_text(std::string_view text)
{
    const bool may_hold = text.find_first_of("@0123456789") != std::string_view::npos ||
                          text.find("\xef\xbc") != std::string_view::npos; // full-width forms
    if (!may_hold) return std::string(text);
    const Narrow narrow = narrowed(text);
    std::string out;
    std::size_t done = 0;
    for (const Found& found : find_all(narrow.text)) {
        if (narrow.begins[found.begin] < done) continue;
        out += text.substr(done, narrow.begins[found.begin] - done);
        out += found.kind;
        done = narrow.begins[found.end];
    }
    return out + std::string(text.substr(done));
}

std::string mask_id(std::string_view id)
{
    if (mask_text(id) != "[email]") return std::string(id);
    const Digest digest = sha256(id);
    return fmt::format("user-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3],
                       digest[4], digest[5]);
}

std::string mask_snippet(std::string_view html)
{
    std::string plain(html);
    for (const std::string_view tag : {"<mark>", "</mark>"})
        for (std::size_t at = plain.find(tag); at != plain.npos; at = plain.find(tag, at)) plain.erase(at, tag.size());
    std::string masked = mask_text(plain);
    return masked == plain ? std::string(html) : masked;
}

} // namespace alli::cache
