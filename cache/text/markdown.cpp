// SPDX-License-Identifier: Apache-2.0
#include "cache/text/markdown.hpp"

#include "cache/text/normalizer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace alli::cache {
namespace {

constexpr std::string_view signs = "*~`";

struct Mark {
    std::string_view sign;
    std::size_t reached = 0; // before that there is no partner left for another one
};

bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_ascii_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Where a word may begin: behind a blank, an opening sign, or what parts sentences where no blanks are written.
constexpr std::array<std::string_view, 32> before_words{
    " ", "\t", "\r", "\u3000", "(",  "[",  "{",  "<",  "\"", "'", "*", "_",  "~",  "|",  ">",  ":",
    "/", "-",  "`",  "（",     "「", "『", "【", "《", "〈", "“", "‘", "、", "。", "，", "：", "・"};
// Faces and what closes or opens a bracket: ^^ and ´▽｀ are no words.
constexpr std::array<std::string_view, 14> after_opening{";", ")",  "]", "}", ",", ".", "^",
                                                         "´", "｀", "ﾟ", "ﾞ", "°", "≧", "≦"};
constexpr std::array<std::string_view, 12> before_closing{";", "(", "[", "{", "^", "´", "｀", "ﾟ", "ﾞ", "°", "≧", "≦"};

template <class Signs>
bool ends_with_any(std::string_view text, const Signs& all)
{
    return std::any_of(all.begin(), all.end(), [&](std::string_view sign) { return text.ends_with(sign); });
}

template <class Signs>
bool begins_with_any(std::string_view text, const Signs& all)
{
    return std::any_of(all.begin(), all.end(), [&](std::string_view sign) { return text.starts_with(sign); });
}

// Neither in code nor of **, which stand within words too.
bool is_picky(std::string_view run)
{
    return run[0] != '`' && run != "**";
}

bool may_open(std::string_view before, std::string_view run, std::string_view after)
{
    if (after.empty() || is_blank(after[0]) || before.ends_with('\\')) return false;
    if (run == "**") return before.empty() || !is_ascii_word(before.back()) || !is_digit(after[0]); // 2**3
    if (!is_picky(run)) return true;
    return (before.empty() || ends_with_any(before, before_words)) && !begins_with_any(after, after_opening);
}

bool may_close(std::string_view before, std::string_view run)
{
    if (is_blank(before.back()) || before.back() == '\\') return false;
    return !is_picky(run) || !ends_with_any(before, before_closing);
}

std::string_view last_character(std::string_view text)
{
    std::size_t at = text.size();
    while (at > 0 && text.size() - at < 4)
        if ((static_cast<unsigned char>(text[--at]) & 0xc0) != 0x80) break;
    return text.substr(at);
}

bool begins_with_word(std::string_view text) // not with a letter of a script without spaces
{
    Letter letter{};
    return !text.empty() && Normalizer(text.substr(0, 4)).next(letter) && letter.kind == LetterKind::word;
}

std::size_t run_at(std::string_view line, std::size_t at)
{
    return std::min(line.find_first_not_of(line[at], at), line.size()) - at;
}

/// Takes the marks out of one line.
class Line {
  public:
    explicit Line(std::string_view line) : line_(line) { find_code(); }

    void append_to(std::string& out)
    {
        for (std::size_t at = 0; at < line_.size();) {
            const std::size_t next = std::min(line_.find_first_of(signs, at), line_.size());
            out += line_.substr(at, next - at);
            at = next < line_.size() ? pass_run(next, out) : next;
        }
    }

  private:
    struct Code {
        std::size_t begin, close, end; // its first sign, the ones behind it, and what follows
    };

    // Nothing in code is a mark, nor the partner of one before it.
    void find_code()
    {
        for (std::size_t at = line_.find('`'); at < line_.size(); at = line_.find('`', at)) {
            const std::string_view run = line_.substr(at, run_at(line_, at));
            const std::size_t close = find_partner(at, run);
            if (close != std::string_view::npos) code_.push_back({at, close, close + run.size()});
            at = close == std::string_view::npos ? at + run.size() : code_.back().end;
        }
    }

    // The code that ends behind this place first; it may begin behind it too.
    std::vector<Code>::const_iterator code_at(std::size_t at) const
    {
        return std::upper_bound(code_.begin(), code_.end(), at,
                                [](std::size_t place, const Code& code) { return place < code.end; });
    }

    // Of **Hotel**is both are words, of **R**andom the whole is.
    std::size_t drop(std::size_t end, std::string& out)
    {
        if (begins_with_word(line_.substr(end)) && begins_with_word(last_character(out))) append_utf8(out, soft_break);
        return end;
    }

    std::size_t pass_run(std::size_t at, std::string& out)
    {
        const std::string_view run = line_.substr(at, run_at(line_, at));
        const std::size_t end = at + run.size();
        if (const auto partner = std::find(partners_.begin(), partners_.end(), at); partner != partners_.end()) {
            partners_.erase(partner);
            return drop(end, out);
        }
        if (run[0] == '`') return pass_ticks(run, at, out);
        const std::size_t close = find_partner(at, run);
        if (close == std::string_view::npos) {
            out += run;
            return end;
        }
        partners_.push_back(close);
        return drop(end, out);
    }

    std::size_t pass_ticks(std::string_view run, std::size_t at, std::string& out)
    {
        const std::size_t end = at + run.size();
        const auto code = code_at(at);
        if (code == code_.end() || code->begin != at) {
            out += run;
            return end;
        }
        drop(end, out);
        out += line_.substr(end, code->close - end);
        return drop(code->end, out);
    }

    std::size_t find_partner(std::size_t at, std::string_view run)
    {
        const auto mark = std::find_if(marks_.begin(), marks_.end(), [&](const Mark& it) { return it.sign == run; });
        const std::size_t from = at + run.size();
        const bool opens = may_open(line_.substr(0, at), run, line_.substr(from));
        if (mark == marks_.end() || !opens || at < mark->reached) return std::string_view::npos;
        mark->reached = line_.size();
        for (std::size_t to = line_.find(run[0], from); to < line_.size();) {
            if (const auto code = code_at(to); run[0] != '`' && code != code_.end() && code->begin < to) {
                to = line_.find(run[0], code->end);
                continue;
            }
            const std::size_t size = run_at(line_, to);
            if (size == run.size() && may_close(line_.substr(0, to), run)) {
                mark->reached = to + size;
                return to;
            }
            to = line_.find(run[0], to + size);
        }
        return std::string_view::npos;
    }

    std::string_view line_;
    std::array<Mark, 7> marks_{{{"*"}, {"**"}, {"***"}, {"~~"}, {"`"}, {"``"}, {"```"}}};
    std::vector<Code> code_;
    std::vector<std::size_t> partners_; // where marks that are open end; a handful, for each sign has one
};

} // namespace

std::string strip_markdown(std::string_view text)
{
    if (text.find_first_of(signs) == std::string_view::npos) return std::string(text);
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        Line(text.substr(at, end - at)).append_to(out);
        at = end;
    }
    return out;
}

} // namespace alli::cache
