// SPDX-License-Identifier: Apache-2.0
#include "cache/phrase.hpp"

#include "cache/tokens.hpp"

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
            atoms.push_back({"", letter.kind == LetterKind::unspaced, joined, letter.begin, letter.end});
        before_ = letter.kind;
        if (letter.kind == LetterKind::separator) return;
        Atom& atom = atoms.back();
        if (atom.text.size() < longest_word) append_utf8(atom.text, letter.code);
        atom.end = letter.end;
        if (broken_.text.empty()) return;
        const std::string whole = (broken_.text + atom.text).substr(0, longest_word);
        atom.whole = std::make_shared<const WholeWord>(WholeWord{whole, broken_.begin});
    }

    std::vector<Atom> atoms;

  private:
    void break_word()
    {
        if (before_ != LetterKind::word) return;
        if (broken_.text.empty()) broken_.begin = atoms.back().begin;
        if (broken_.text.size() < longest_word) broken_.text += atoms.back().text;
        atoms.back().whole.reset(); // of the last part alone
        before_ = LetterKind::separator;
    }

    WholeWord broken_; // the parts of a word before a soft break
    LetterKind before_ = LetterKind::separator;
};

bool same_run(const Atom& a, const Atom& b) // neighbours
{
    return a.unspaced && b.unspaced && b.joined;
}

// A run of two or more letters before it ends with the letter that it begins with.
bool follows_its_letter(const std::vector<Atom>& atoms, std::size_t from)
{
    return from > 1 && atoms[from].unspaced && !atoms[from].joined && atoms[from - 1].text == atoms[from].text &&
           same_run(atoms[from - 2], atoms[from - 1]);
}

// The tokens of the run at [from, to), as cache/tokens.cpp gives them.
void append_run(std::string& tokens, const std::vector<Atom>& atoms, std::size_t from, std::size_t to)
{
    const auto append = [&](std::string_view text) { (tokens += tokens.empty() ? "" : " ") += text; };
    const bool glued = from > 0 && atoms[from].joined;
    if (follows_its_letter(atoms, from)) append(run_break);
    const bool ends_in_word = to < atoms.size() && atoms[to].joined;
    for (std::size_t i = from; i + 1 < to; ++i)
        append((i == from && glued ? "+" : "") + atoms[i].text + atoms[i + 1].text);
    if (to - from == 1)
        append((glued ? "+" : "") + atoms[from].text);
    else if (ends_in_word)
        append(atoms[to - 1].text);
}

constexpr std::string_view long_vowel = "ー";

bool is_katakana(const Atom& atom) // of UTF-8 the order is that of the letters
{
    return (atom.text >= "ァ" && atom.text <= "ヺ") || atom.text == long_vowel;
}

std::size_t end_of_run(const std::vector<Atom>& atoms, std::size_t from)
{
    std::size_t to = from + 1;
    while (to < atoms.size() && same_run(atoms[to - 1], atoms[to])) ++to;
    return to;
}

// A run of one letter with a separator behind it, or nothing.
bool is_lone(const std::vector<Atom>& atoms, std::size_t i)
{
    const bool begins = atoms[i].unspaced && !same_run(atoms[i - 1], atoms[i]);
    return begins && (i + 1 == atoms.size() || !atoms[i + 1].joined);
}

} // namespace

std::vector<Atom> atoms_of(std::string_view text, std::size_t most)
{
    Builder builder;
    Letters letters(text);
    Letter letter;
    while (builder.atoms.size() <= most && letters.next(letter)) builder.add(letter);
    if (builder.atoms.size() > most) builder.atoms.resize(most);
    return std::move(builder.atoms);
}

bool Phrase::skips_first() const
{
    return atoms.size() > 1 && atoms[0].unspaced && !atoms[1].joined;
}

bool Phrase::needs_check(bool has_all_letters) const
{
    if (skips_first() || drops_last) return true;
    for (std::size_t i = 1; i < atoms.size(); ++i)
        if (is_lone(atoms, i) && (has_all_letters || (atoms[i].joined && i + 1 < atoms.size()))) return true;
    return false;
}

bool ends_with_long_vowel(const std::vector<Atom>& atoms)
{
    constexpr std::size_t least = 4;
    if (atoms.size() < least || atoms.back().text != long_vowel) return false;
    const auto from = atoms.end() - least;
    return std::all_of(from, atoms.end(), is_katakana) &&
           std::all_of(from + 1, atoms.end(), [](const Atom& atom) { return atom.joined; });
}

std::string index_expression(const Phrase& phrase)
{
    if (phrase.drops_last) return index_expression({{phrase.atoms.begin(), phrase.atoms.end() - 1}, phrase.prefix});
    const auto& atoms = phrase.atoms;
    std::string tokens;
    std::size_t from = phrase.skips_first() ? 1 : 0, last = from;
    for (; from < atoms.size(); from = end_of_run(atoms, from)) {
        append_run(tokens, atoms, from, end_of_run(atoms, from));
        last = from;
    }
    const Atom& end = atoms.back();
    // A single letter at the end may begin a longer run; glued to what is before it has a token for that.
    const bool begins_run = end.unspaced && last + 1 == atoms.size() && (last == 0 || !end.joined);
    const bool prefix = begins_run || (phrase.prefix && !end.unspaced);
    return '"' + tokens + (prefix ? "\" *" : "\"");
}

namespace {

bool is_text(std::string_view text, std::string_view wanted, bool prefix)
{
    return prefix ? text.starts_with(wanted) : text == wanted;
}

// Of the first `size` atoms of the phrase.
bool stands_at(const std::vector<Atom>& atoms, std::size_t at, const Phrase& phrase, std::size_t size)
{
    const auto& wanted = phrase.atoms;
    if (size == 0 || at + size > atoms.size()) return false;
    for (std::size_t i = 0; i < size; ++i) {
        const Atom& atom = atoms[at + i];
        const bool prefix = i + 1 == size && phrase.prefix && !wanted[i].unspaced;
        const bool same = is_text(atom.text, wanted[i].text, prefix) ||
                          (atom.whole && is_text(atom.whole->text, wanted[i].text, prefix));
        if (!same || atom.unspaced != wanted[i].unspaced) return false;
        if (i == 0) continue;
        // As the index has it: a word that touches letters without spaces stands apart as well.
        if (wanted[i].joined ? !atom.joined : atom.joined && atoms[at + i - 1].unspaced) return false;
    }
    return true;
}

bool goes_on_in_katakana(const std::vector<Atom>& atoms, std::size_t at)
{
    return at < atoms.size() && atoms[at].joined && is_katakana(atoms[at]);
}

} // namespace

std::size_t match_at(const std::vector<Atom>& atoms, std::size_t at, const Phrase& phrase)
{
    const std::size_t size = phrase.atoms.size();
    if (stands_at(atoms, at, phrase, size)) return size;
    const bool shorter =
        phrase.drops_last && stands_at(atoms, at, phrase, size - 1) && !goes_on_in_katakana(atoms, at + size - 1);
    return shorter ? size - 1 : 0;
}

std::uint32_t begin_of_match(const Atom& first, const Phrase& phrase)
{
    const bool by_part = !first.whole || first.text.starts_with(phrase.atoms.front().text);
    return by_part ? first.begin : first.whole->begin;
}

bool holds(const std::vector<Atom>& atoms, const Phrase& phrase)
{
    for (std::size_t at = 0; at < atoms.size(); ++at)
        if (match_at(atoms, at, phrase) > 0) return true;
    return false;
}

} // namespace alli::cache
