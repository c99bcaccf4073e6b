// SPDX-License-Identifier: Apache-2.0
#include "tests/cache/plain_scan.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <vector>

namespace plain_scan {
namespace {

std::u32string normal(const std::u32string& text, const UNormalizer2* (*get)(UErrorCode*))
{
    UErrorCode code = U_ZERO_ERROR;
    const auto size = static_cast<std::int32_t>(text.size());
    std::u16string units(text.size() * 2 + 1, u'\0'), out(text.size() * 20 + 32, u'\0');
    std::int32_t length = 0;
    u_strFromUTF32(units.data(), static_cast<std::int32_t>(units.size()), &length,
                   reinterpret_cast<const UChar32*>(text.data()), size, &code);
    length =
        unorm2_normalize(get(&code), units.data(), length, out.data(), static_cast<std::int32_t>(out.size()), &code);
    std::u32string made(out.size(), U'\0');
    std::int32_t letters = 0;
    u_strToUTF32(reinterpret_cast<UChar32*>(made.data()), static_cast<std::int32_t>(made.size()), &letters, out.data(),
                 length, &code);
    made.resize(static_cast<std::size_t>(letters));
    return made;
}

struct Range {
    char32_t first, last;
};

bool is_in(char32_t c, const std::vector<Range>& ranges)
{
    return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return c >= r.first && c <= r.last; });
}

bool has(char32_t c, UProperty property)
{
    return u_hasBinaryProperty(static_cast<UChar32>(c), property) != 0;
}

constexpr char32_t soft = 0x2063; // between parts of a word that touched a mark

const std::vector<Range> enclosing{{0x20dd, 0x20e0}, {0x20e2, 0x20e4}};

bool stands_apart(char32_t c)
{
    static const std::vector<Range> signs{{0xb2, 0xb3},     {0xb9, 0xb9},       {0xbc, 0xbe},       {0x2070, 0x2070},
                                          {0x2074, 0x207e}, {0x20dd, 0x20e4},   {0x2100, 0x2101},   {0x2103, 0x2103},
                                          {0x2105, 0x2106}, {0x2109, 0x2109},   {0x2116, 0x2116},   {0x2120, 0x2122},
                                          {0x2139, 0x2139}, {0x2150, 0x217f},   {0x2189, 0x2189},   {0x2460, 0x24ff},
                                          {0x2776, 0x2793}, {0x3200, 0x32fe},   {0x3358, 0x3370},   {0x33e0, 0x33fe},
                                          {0x309b, 0x309c}, {0x1f100, 0x1f16c}, {0x1f190, 0x1f190}, {0x1f200, 0x1f265}};
    return is_in(c, signs) && !is_in(c, {{0x32cc, 0x32cf}, {0x207f, 0x207f}});
}

std::u32string mapped(char32_t c)
{
    static const std::u32string narrow = U"ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ   ㅏㅐㅑㅒㅓㅔ "
                                         U" ㅕㅖㅗㅘㅙㅚ  ㅛㅜㅝㅞㅟㅠ  ㅡㅢㅣ";
    if (c == 0x3164 || c == 0xffa0) return U" ";
    if (c == soft) return {c};
    if (has(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || c == 0x640 || c == 0x6e5 || c == 0x6e6) return U"";
    if (c >= 0x3131 && c <= 0x318e) return {c};
    if (c >= 0xffa1 && c <= 0xffdc) return {narrow[c - 0xffa1]};
    const std::u32string made = normal({c}, unorm2_getNFKCCasefoldInstance);
    if (is_in(c, enclosing)) return U" ";
    return stands_apart(c) ? U' ' + made + U' ' : made;
}

bool is_combining(char32_t c)
{
    return u_getCombiningClass(static_cast<UChar32>(c)) != 0;
}

std::u32string strip_markdown(const std::u32string& decomposed)
{
    static const std::vector<Range> unmarked{{0, 0x52f},       {0x590, 0x6ff},   {0x750, 0x77f},   {0x8a0, 0x8ff},
                                             {0x1c80, 0x1c8f}, {0x1d00, 0x1dbf}, {0x1e00, 0x1fff}, {0x2c60, 0x2c7f},
                                             {0xa640, 0xa69f}, {0xa720, 0xa7ff}};
    std::u32string out;
    char32_t base = 0;
    for (const char32_t c : decomposed) {
        if (!is_combining(c)) base = c;
        const bool hamza = (c == 0x654 || c == 0x655) && std::u32string(U"ويەہے").find(base) != std::u32string::npos;
        const bool semitic =
            is_in(c, {{0x591, 0x5c7}, {0x610, 0x61a}, {0x6d6, 0x6ed}, {0x8d3, 0x8ff}, {0xfb1e, 0xfb1e}});
        if (is_combining(c) && !hamza && (semitic || (is_in(base, unmarked) && u_isalpha(static_cast<UChar32>(base)))))
            continue;
        out += c;
    }
    return out;
}

// The indented lines of docs/search.md whose words are two kanji each.
const std::map<char32_t, char32_t>& kanji()
{
    static const std::map<char32_t, char32_t> table = [] {
        std::map<char32_t, char32_t> made;
        std::ifstream page(std::string(ALLI_SOURCE) + "/docs/search.md");
        for (std::string line; std::getline(page, line);) {
            const std::u32string text = decode(line);
            if (text.size() < 6 || text.substr(0, 4) != U"    " || text[4] < 0x4e00) continue;
            for (std::size_t at = 4; at + 1 < text.size(); at += 3) made[text[at]] = text[at + 1];
        }
        return made;
    }();
    return table;
}

char32_t spelled(char32_t c)
{
    static const std::map<char32_t, char32_t> same{{U'ł', U'l'}, {U'ø', U'o'}, {U'đ', U'd'}, {U'ħ', U'h'}, {U'ı', U'i'},
                                                   {U'ŧ', U't'}, {U'ƀ', U'b'}, {U'ɨ', U'i'}, {U'ة', U'ه'}, {U'ى', U'ي'},
                                                   {U'ٱ', U'ا'}, {U'ک', U'ك'}, {U'ڪ', U'ك'}, {U'ۀ', U'ه'}, {U'ہ', U'ه'},
                                                   {U'ۂ', U'ه'}, {U'ی', U'ي'}, {U'ے', U'ي'}, {U'ۓ', U'ي'}};
    static const std::u32string first = U"ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
                                vowel = U"ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ",
                                last = U"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
    if (const auto found = same.find(c); found != same.end()) return found->second;
    if (const auto found = kanji().find(c); found != kanji().end()) return found->second;
    if (c > 0x7f && u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER)
        return U'0' + static_cast<char32_t>(u_charDigitValue(static_cast<UChar32>(c)));
    if (c >= 0x1100 && c < 0x1100 + first.size()) return first[c - 0x1100];
    if (c >= 0x1161 && c < 0x1161 + vowel.size()) return vowel[c - 0x1161];
    if (c >= 0x11a8 && c < 0x11a8 + last.size()) return last[c - 0x11a8];
    return c;
}

std::u32string folded(const std::string& text)
{
    static const std::vector<Range> marks_of_no_script{
        {0x300, 0x36f},   {0x485, 0x486},   {0x64b, 0x655},   {0x670, 0x670},   {0x951, 0x954},  {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff}, {0x20d0, 0x20f0}, {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe20, 0xfe2d}};
    std::u32string out, made;
    std::size_t base = 0;
    static std::map<char32_t, std::u32string> known;
    for (const char32_t c : decode(text)) {
        const auto found = known.find(c);
        const std::u32string& to = found != known.end() ? found->second : known[c] = mapped(c);
        const bool encloses = is_in(c, enclosing);
        if (encloses) out.insert(base, U" ");
        if (!encloses && !is_combining(c) && !to.empty()) base = out.size();
        out += to;
    }
    out = normal(strip_markdown(normal(out, unorm2_getNFDInstance)), unorm2_getNFCInstance);
    for (const char32_t c : out)
        if (!is_in(c, marks_of_no_script)) made += spelled(c);
    return made;
}

bool is_small_latin(char32_t c)
{
    return c >= U'a' && c <= U'z';
}

// How many letters from `at`, where a word begins, are a word by themselves: the v of v1, c++, c#. 0: it is none.
std::size_t short_word(const std::u32string& text, std::size_t at)
{
    const auto char_at = [&](std::size_t n) { return at + n < text.size() ? text[at + n] : U'\0'; };
    if (!is_small_latin(char_at(0))) return 0;
    if (char_at(1) == U'#') return 2;
    if (char_at(1) == U'+' && char_at(2) == U'+' && char_at(3) != U'+') return 3;
    return char_at(0) == U'v' && char_at(1) >= U'0' && char_at(1) <= U'9' ? 1 : 0;
}

void append_blank(std::u32string& text)
{
    if (!text.empty() && text.back() != U' ') text += U' ';
}

struct Run {
    std::size_t begin, size;
    bool goes = false, in_code = false;
};

bool is_mark_of(const std::string& sign)
{
    return sign == "*" || sign == "**" || sign == "***" || sign == "~~" || sign == "`" || sign == "``" || sign == "```";
}

bool is_one_of(const std::string& signs, char32_t c)
{
    return decode(signs).find(c) != std::u32string::npos;
}

// ** stands within words, but between a Latin letter or digit and a digit it is a power; the others begin words.
bool opens(const std::string& line, std::size_t at, const std::string& sign)
{
    const std::u32string before = decode(line.substr(0, at)), after = decode(line.substr(at + sign.size()));
    if (after.empty() || is_one_of(" \t\r\n", after[0]) || (!before.empty() && before.back() == U'\\')) return false;
    if (sign[0] == '`' || before.empty())
        return sign[0] == '`' || sign == "**" || !is_one_of(";)]},.^´｀ﾟﾞ°≧≦", after[0]);
    if (sign == "**")
        return before.back() > 0x7f || !std::isalnum(static_cast<int>(before.back())) || after[0] < U'0' ||
               after[0] > U'9';
    return is_one_of(" \t\r\u3000([{<\"'*_~|>:/-`（「『【《〈“‘、。，：・", before.back()) &&
           !is_one_of(";)]},.^´｀ﾟﾞ°≧≦", after[0]);
}

bool closes(const std::string& line, std::size_t at, const std::string& sign)
{
    const char32_t before = decode(line.substr(0, at)).back();
    if (is_one_of(" \t\r\n\\", before)) return false;
    return sign[0] == '`' || sign == "**" || !is_one_of(";([{^´｀ﾟﾞ°≧≦", before);
}

std::vector<Run> runs_of(const std::string& line)
{
    std::vector<Run> runs;
    for (std::size_t at = line.find_first_of("*~`"); at < line.size(); at = line.find_first_of("*~`", at)) {
        const std::size_t end = std::min(line.find_first_not_of(line[at], at), line.size());
        runs.push_back({at, end - at});
        at = end;
    }
    return runs;
}

// Code first: nothing in it is a mark.
void pair_up(const std::string& line, std::vector<Run>& runs, bool code)
{
    std::map<std::string, std::size_t> busy; // the partner of the last pair of each sign
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const std::string sign = line.substr(runs[i].begin, runs[i].size);
        if (runs[i].goes || runs[i].in_code || (sign[0] == '`') != code || !is_mark_of(sign) ||
            !opens(line, runs[i].begin, sign))
            continue;
        if (busy.count(sign) && i <= busy[sign]) continue;
        std::size_t partner = i + 1;
        while (partner < runs.size() &&
               (runs[partner].in_code || line.substr(runs[partner].begin, runs[partner].size) != sign ||
                !closes(line, runs[partner].begin, sign)))
            ++partner;
        busy[sign] = partner;
        if (partner == runs.size()) continue;
        runs[i].goes = runs[partner].goes = true;
        if (!code) continue;
        for (std::size_t inside = i + 1; inside < partner; ++inside) runs[inside].in_code = true;
        i = partner;
    }
}

bool ends_in_word(const std::string& text)
{
    const std::u32string made = folded(text);
    return !made.empty() && is_word(made.back());
}

bool begins_in_word(const std::string& text)
{
    const std::u32string made = folded(text);
    return !made.empty() && is_word(made.front());
}

std::string line_without_emphasis(const std::string& line)
{
    std::vector<Run> runs = runs_of(line);
    pair_up(line, runs, true);
    pair_up(line, runs, false);
    std::string out;
    std::size_t at = 0;
    for (const Run& run : runs) {
        if (!run.goes) continue;
        out += line.substr(at, run.begin - at);
        at = run.begin + run.size;
        if (ends_in_word(out) && begins_in_word(line.substr(at))) out += to_utf8({soft});
    }
    return out + line.substr(at);
}

std::size_t end_of_match(const std::u32string& text, std::size_t at, const std::u32string& term)
{
    for (const char32_t c : term) {
        if (at < text.size() && text[at] == c)
            ++at;
        else if (c != U' ' || at == 0 || at >= text.size() || !is_word(text[at - 1]) || !is_unspaced(text[at]))
            return std::u32string::npos;
    }
    return at;
}

bool stands_in_one(const std::u32string& text, const std::u32string& asked, bool prefix)
{
    std::u32string term = asked;
    std::replace(term.begin(), term.end(), soft, U' ');
    while (!term.empty() && term.back() == U' ') term.pop_back();
    if (term.empty()) return false;
    for (std::size_t at = text.find(term.front()); at != std::u32string::npos; at = text.find(term.front(), at + 1)) {
        const std::size_t end = end_of_match(text, at, term);
        if (end == std::u32string::npos) continue;
        const bool begins = !is_word(term.front()) || at == 0 || !is_word(text[at - 1]);
        const bool ends = prefix || !is_word(term.back()) || end == text.size() || !is_word(text[end]);
        if (begins && ends) return true;
    }
    return false;
}

// Words in parts, each one as it is or with the whole in the place of the last part.
std::vector<std::u32string> readings(const std::u32string& text)
{
    std::vector<std::u32string> all{U""};
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && (is_word(text[end]) || text[end] == soft)) ++end;
        std::u32string parts = text.substr(at, end > at ? end - at : 1), whole = parts;
        at += parts.size();
        const std::size_t last = parts.rfind(soft);
        std::replace(parts.begin(), parts.end(), soft, U' ');
        whole.erase(std::remove(whole.begin(), whole.end(), soft), whole.end());
        const std::size_t before = all.size();
        for (std::size_t n = 0; n < before; ++n) {
            if (last != parts.npos && before <= 64) all.push_back(all[n] + parts.substr(0, last + 1) + whole);
            all[n] += parts;
        }
    }
    return all;
}

} // namespace

bool stands_in(const std::u32string& text, const std::u32string& term, bool prefix)
{
    if (text.find(soft) == text.npos) return stands_in_one(text, term, prefix);
    const auto all = readings(text);
    return std::any_of(all.begin(), all.end(), [&](const auto& one) { return stands_in_one(one, term, prefix); });
}

bool is_unspaced(char32_t c)
{
    static const std::vector<Range> letters{{0xe01, 0xe3a},   {0xe40, 0xe4e},   {0x1100, 0x11ff},  {0x2e80, 0x2fd5},
                                            {0x3005, 0x3005}, {0x3007, 0x3007}, {0x3041, 0x3096},  {0x309d, 0x309f},
                                            {0x30a1, 0x30fa}, {0x30fc, 0x30ff}, {0x3131, 0x318e},  {0x3400, 0x9fff},
                                            {0xac00, 0xd7a3}, {0xf900, 0xfaff}, {0x20000, 0x3134f}};
    const bool picture = u_charType(static_cast<UChar32>(c)) == U_OTHER_SYMBOL &&
                         (has(c, UCHAR_EXTENDED_PICTOGRAPHIC) || has(c, UCHAR_REGIONAL_INDICATOR));
    return picture || is_in(c, letters);
}

bool is_word(char32_t c)
{
    constexpr std::uint32_t kinds = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK;
    return !is_unspaced(c) && ((U_GET_GC_MASK(static_cast<UChar32>(c)) & kinds) != 0 || c == U'+' || c == U'#');
}

std::u32string plain(const std::string& text) // a soft break stays
{
    const std::u32string letters = folded(text);
    const auto is_letter = [](char32_t c) { return (is_word(c) || is_unspaced(c)) && c != U'+' && c != U'#'; };
    const auto begins_word = [&](std::size_t at) {
        return is_letter(letters[at]) && is_word(letters[at]) &&
               (at == 0 || !is_letter(letters[at - 1]) || !is_word(letters[at - 1]));
    };
    std::u32string out;
    for (std::size_t at = 0; at < letters.size(); ++at) {
        const std::size_t own = begins_word(at) ? short_word(letters, at) : 0;
        if (own > 0) {
            out += letters.substr(at, own) + U' ';
            at += own - 1;
        } else if (letters[at] == soft) {
            if (!out.empty() && is_word(out.back())) out += soft;
        } else if (is_letter(letters[at])) {
            out += letters[at];
        } else {
            append_blank(out);
        }
    }
    return out;
}

std::string without_emphasis(const std::string& text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        out += line_without_emphasis(text.substr(at, end - at));
        at = end;
    }
    return out;
}

std::u32string decode(const std::string& text)
{
    std::u32string out;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t at = 0; at < size;) {
        UChar32 c;
        U8_NEXT(bytes, at, size, c);
        out += c < 0 ? U' ' : static_cast<char32_t>(c);
    }
    return out;
}

std::string decomposed(const std::string& text)
{
    return to_utf8(normal(decode(text), unorm2_getNFDInstance));
}

std::string to_utf8(const std::u32string& text)
{
    std::string out;
    for (const char32_t c : text) {
        std::uint8_t bytes[U8_MAX_LENGTH];
        std::int32_t size = 0;
        U8_APPEND_UNSAFE(bytes, size, static_cast<UChar32>(c));
        out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
    return out;
}

} // namespace plain_scan
