// SPDX-License-Identifier: Apache-2.0
#include "cache/phrase.hpp"

#include "cache/tokens.hpp"

namespace alli::cache {
namespace {

/// The atoms of a text from its letters.
class Builder {
  public:
    void add(const Letter& letter)
    {
        const bool joined = before_ != LetterKind::separator;
        if (letter.kind == LetterKind::unspaced || (letter.kind == LetterKind::word && before_ != letter.kind))
            atoms.push_back({"", letter.kind == LetterKind::unspaced, joined, letter.begin, letter.end});
        before_ = letter.kind;
        if (letter.kind == LetterKind::separator) return;
        Atom& atom = atoms.back();
        if (atom.text.size() < longest_word) append_utf8(atom.text, letter.code);
        atom.end = letter.end;
    }

    std::vector<Atom> atoms;

  private:
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

std::size_t end_of_run(const std::vector<Atom>& atoms, std::size_t from)
{
    std::size_t to = from + 1;
    while (to < atoms.size() && same_run(atoms[to - 1], atoms[to])) ++to;
    return to;
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

bool Phrase::needs_check() const
{
    return atoms.size() > 1 && atoms[0].unspaced && !atoms[1].joined;
}

std::string index_expression(const Phrase& phrase)
{
    const auto& atoms = phrase.atoms;
    std::string tokens;
    std::size_t from = phrase.needs_check() ? 1 : 0, last = from;
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

std::size_t match_at(const std::vector<Atom>& atoms, std::size_t at, const Phrase& phrase)
{
    const auto& wanted = phrase.atoms;
    if (wanted.empty() || at + wanted.size() > atoms.size()) return 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const Atom& atom = atoms[at + i];
        const bool last = i + 1 == wanted.size();
        const bool same = last && phrase.prefix && !wanted[i].unspaced
                              ? std::string_view(atom.text).starts_with(wanted[i].text)
                              : atom.text == wanted[i].text;
        if (!same || atom.unspaced != wanted[i].unspaced) return 0;
        if (i == 0) continue;
        if (wanted[i].joined ? !atom.joined : same_run(atoms[at + i - 1], atom)) return 0;
    }
    return wanted.size();
}

bool holds(const std::vector<Atom>& atoms, const Phrase& phrase)
{
    for (std::size_t at = 0; at < atoms.size(); ++at)
        if (match_at(atoms, at, phrase) > 0) return true;
    return false;
}

} // namespace alli::cache
