// SPDX-License-Identifier: Apache-2.0
#include "cache/text/phrase.hpp"

#include "cache/text/tokens.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

/// The atoms of a text from its letters.
class Builder {
  public:
    void add(const Letter& letter)
    {
        if (letter.kind != LetterKind::word) {
            if (letter.code == soft_break) return break_word();
            broken_.text.clear();
        }
        const bool joined = before_ != LetterKind::separator;
        if (letter.kind == LetterKind::unspaced || (letter.kind == LetterKind::word && before_ != letter.kind))
            tokens.push_back({"", letter.kind == LetterKind::unspaced, joined, letter.begin, letter.end});
        before_ = letter.kind;
        if (letter.kind == LetterKind::separator) return;
        PhraseToken& token = tokens.back();
        if (token.text.size() < longest_word) append_utf8(token.text, letter.code);
        token.end = letter.end;
        if (broken_.text.empty()) return;
        const std::string whole = (broken_.text + token.text).substr(0, longest_word);
        token.whole = std::make_shared<const WholeWord>(WholeWord{whole, broken_.begin});
    }

    std::vector<PhraseToken> tokens;

  private:
    void break_word()
    {
        if (before_ != LetterKind::word) return;
        if (broken_.text.empty()) broken_.begin = tokens.back().begin;
        if (broken_.text.size() < longest_word) broken_.text += tokens.back().text;
        tokens.back().whole.reset(); // of the last part alone
        before_ = LetterKind::separator;
    }

    WholeWord broken_; // the parts of a word before a soft break
    LetterKind before_ = LetterKind::separator;
};

bool same_run(const PhraseToken& a, const PhraseToken& b) // neighbours
{
    return a.unspaced && b.unspaced && b.joined;
}

// A run of two or more letters before it ends with the letter that it begins with.
bool follows_its_letter(const std::vector<PhraseToken>& tokens, std::size_t from)
{
    return from > 1 && tokens[from].unspaced && !tokens[from].joined && tokens[from - 1].text == tokens[from].text &&
           same_run(tokens[from - 2], tokens[from - 1]);
}

// The tokens of the run at [from, to), as cache/text/tokens.cpp gives them.
void append_run(std::string& expression, const std::vector<PhraseToken>& tokens, std::size_t from, std::size_t to)
{
    const auto append = [&](std::string_view text) { (expression += expression.empty() ? "" : " ") += text; };
    const bool glued = from > 0 && tokens[from].joined;
    if (follows_its_letter(tokens, from)) append(run_break);
    const bool ends_in_word = to < tokens.size() && tokens[to].joined;
    for (std::size_t i = from; i + 1 < to; ++i)
        append((i == from && glued ? "+" : "") + tokens[i].text + tokens[i + 1].text);
    if (to - from == 1)
        append((glued ? "+" : "") + tokens[from].text);
    else if (ends_in_word)
        append(tokens[to - 1].text);
}

constexpr std::string_view long_vowel = "ー";

bool is_katakana(const PhraseToken& token) // of UTF-8 the order is that of the letters
{
    return (token.text >= "ァ" && token.text <= "ヺ") || token.text == long_vowel;
}

std::size_t end_of_run(const std::vector<PhraseToken>& tokens, std::size_t from)
{
    std::size_t to = from + 1;
    while (to < tokens.size() && same_run(tokens[to - 1], tokens[to])) ++to;
    return to;
}

// A run of one letter with a separator behind it, or nothing.
bool is_lone(const std::vector<PhraseToken>& tokens, std::size_t i)
{
    const bool begins = tokens[i].unspaced && !same_run(tokens[i - 1], tokens[i]);
    return begins && (i + 1 == tokens.size() || !tokens[i + 1].joined);
}

} // namespace

std::vector<PhraseToken> tokens_of(std::string_view text, std::size_t most)
{
    Builder builder;
    Normalizer letters(text);
    Letter letter;
    while (builder.tokens.size() <= most && letters.next(letter)) builder.add(letter);
    if (builder.tokens.size() > most) builder.tokens.resize(most);
    return std::move(builder.tokens);
}

bool Phrase::skips_first() const
{
    return tokens.size() > 1 && tokens[0].unspaced && !tokens[1].joined;
}

bool Phrase::needs_check(bool has_all_letters) const
{
    if (skips_first() || drops_last) return true;
    for (std::size_t i = 1; i < tokens.size(); ++i)
        if (is_lone(tokens, i) && (has_all_letters || (tokens[i].joined && i + 1 < tokens.size()))) return true;
    return false;
}

bool ends_with_long_vowel(const std::vector<PhraseToken>& tokens)
{
    constexpr std::size_t least = 4;
    if (tokens.size() < least || tokens.back().text != long_vowel) return false;
    const auto from = tokens.end() - least;
    return std::all_of(from, tokens.end(), is_katakana) &&
           std::all_of(from + 1, tokens.end(), [](const PhraseToken& token) { return token.joined; });
}

std::string index_expression(const Phrase& phrase)
{
    if (phrase.drops_last) return index_expression({{phrase.tokens.begin(), phrase.tokens.end() - 1}, phrase.prefix});
    const auto& tokens = phrase.tokens;
    std::string expression;
    std::size_t from = phrase.skips_first() ? 1 : 0, last = from;
    for (; from < tokens.size(); from = end_of_run(tokens, from)) {
        append_run(expression, tokens, from, end_of_run(tokens, from));
        last = from;
    }
    const PhraseToken& end = tokens.back();
    // A single letter at the end may begin a longer run; glued to what is before it has a token for that.
    const bool begins_run = end.unspaced && last + 1 == tokens.size() && (last == 0 || !end.joined);
    const bool prefix = begins_run || (phrase.prefix && !end.unspaced);
    return '"' + expression + (prefix ? "\" *" : "\"");
}

namespace {

bool is_text(std::string_view text, std::string_view wanted, bool prefix)
{
    return prefix ? text.starts_with(wanted) : text == wanted;
}

// Of the first `size` tokens of the phrase.
bool stands_at(const std::vector<PhraseToken>& tokens, std::size_t at, const Phrase& phrase, std::size_t size)
{
    const auto& wanted = phrase.tokens;
    if (size == 0 || at + size > tokens.size()) return false;
    for (std::size_t i = 0; i < size; ++i) {
        const PhraseToken& token = tokens[at + i];
        const bool prefix = i + 1 == size && phrase.prefix && !wanted[i].unspaced;
        const bool same = is_text(token.text, wanted[i].text, prefix) ||
                          (token.whole && is_text(token.whole->text, wanted[i].text, prefix));
        if (!same || token.unspaced != wanted[i].unspaced) return false;
        if (i == 0) continue;
        // As the index has it: a word that touches letters without spaces stands apart as well.
        if (wanted[i].joined ? !token.joined : token.joined && tokens[at + i - 1].unspaced) return false;
    }
    return true;
}

bool goes_on_in_katakana(const std::vector<PhraseToken>& tokens, std::size_t at)
{
    return at < tokens.size() && tokens[at].joined && is_katakana(tokens[at]);
}

} // namespace

std::size_t match_at(const std::vector<PhraseToken>& tokens, std::size_t at, const Phrase& phrase)
{
    const std::size_t size = phrase.tokens.size();
    if (stands_at(tokens, at, phrase, size)) return size;
    const bool shorter =
        phrase.drops_last && stands_at(tokens, at, phrase, size - 1) && !goes_on_in_katakana(tokens, at + size - 1);
    return shorter ? size - 1 : 0;
}

std::uint32_t begin_of_match(const PhraseToken& first, const Phrase& phrase)
{
    const bool by_part = !first.whole || first.text.starts_with(phrase.tokens.front().text);
    return by_part ? first.begin : first.whole->begin;
}

bool holds(const std::vector<PhraseToken>& tokens, const Phrase& phrase)
{
    for (std::size_t at = 0; at < tokens.size(); ++at)
        if (match_at(tokens, at, phrase) > 0) return true;
    return false;
}

} // namespace alli::cache
