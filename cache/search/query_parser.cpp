// SPDX-License-Identifier: Apache-2.0
#include "cache/search/query_parser.hpp"

#include "alli/relative_time.hpp"
#include "cache/text/markdown.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>

namespace alli::cache {
namespace {

constexpr std::size_t most_phrases = 64, most_names = 64, most_atoms = 200;

// As keyboards, word processors and web pages write them (Unicode's White_Space), and Korea's blank letter.
constexpr auto spaces = std::to_array<std::string_view>(
    {"\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007",
     "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\u3164", "\xc2\x85"});
// What comes along with a copied word and is not seen: a byte order mark, marks of direction, joiners.
constexpr auto unseen = std::to_array<std::string_view>({"\ufeff", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f",
                                                         "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2060",
                                                         "\u2066", "\u2067", "\u2068", "\u2069", "\u061c", "\u00ad"});

std::size_t one_at(std::span<const std::string_view> of, std::string_view text, std::size_t at)
{
    if (static_cast<unsigned char>(text[at]) < 0x80) return 0;
    for (const std::string_view one : of)
        if (text.substr(at).starts_with(one)) return one.size();
    return 0;
}

/// The length of a space at `at`, 0 when there is none.
std::size_t space_at(std::string_view text, std::size_t at)
{
    const auto first = static_cast<unsigned char>(text[at]);
    return first <= ' ' || first == 0x7f ? 1 : one_at(spaces, text, at);
}

/// Of what stands before a word and does not belong to it.
std::size_t gap_at(std::string_view text, std::size_t at)
{
    const std::size_t space = space_at(text, at);
    return space > 0 ? space : one_at(unseen, text, at);
}

std::size_t quote_at(std::string_view text, std::size_t at)
{
    for (const std::string_view quote : {"\"", "“", "”", "＂"})
        if (text.substr(at).starts_with(quote)) return quote.size();
    return 0;
}

/// One thing that was typed.
struct Piece {
    std::string_view whole; // as it stands
    std::string_view text;  // without quotes and key
    std::string_view key;   // user, app, ...; empty: none
    bool negated = false, quoted = false, starred = false;
};

/// What days and times are read against.
struct Calendar {
    const Zone& zone;
    std::optional<Instant> now;
};

struct FilterKey {
    std::string_view name;
    bool (*take)(Filters& filters, std::string_view value, const Calendar& calendar); // false: that is no value of it
    std::string_view valid; // values, parted by commas; empty: names, of which there is any number
};

bool is_word(std::string_view a, std::string_view b) // whatever the case of its letters
{
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return small(x) == small(y); });
}

template <auto Member>
bool take_name(Filters& filters, std::string_view value, const Calendar&)
{
    auto& names = filters.*Member;
    if (names.size() < most_names && std::find(names.begin(), names.end(), value) == names.end())
        names.emplace_back(value);
    return true;
}

template <auto Member, auto Read>
bool take_time(Filters& filters, std::string_view value, const Calendar& calendar)
{
    const auto [zone, now] = calendar;
    const auto when = Read(now ? absolute_time(value, zone, *now) : std::string(value), zone);
    if (when) filters.*Member = when;
    return when.has_value();
}

struct Bit {
    std::string_view word;
    unsigned bit;
};
constexpr std::array ratings{Bit{"good", rated_good}, Bit{"bad", rated_bad}, Bit{"none", unrated}};
constexpr std::array belongings{Bit{"feedback", has_feedback}, Bit{"citations", has_citations},
                                Bit{"steps", has_steps_listed}};

template <auto Member, const auto& Bits>
bool take_bit(Filters& filters, std::string_view value, const Calendar&)
{
    const auto found = std::find_if(Bits.begin(), Bits.end(), [&](const Bit& it) { return is_word(it.word, value); });
    if (found == Bits.end()) return false;
    filters.*Member |= found->bit;
    return true;
}

constexpr std::string_view a_rating = "good,bad,none", a_belonging = "feedback,citations,steps",
                           a_time = "2026-01-31,2026-01-31T09:30:00+09:00,today,yesterday,7d,2w,3m,24h";

constexpr auto filter_keys = std::to_array<FilterKey>({
    {"user", &take_name<&Filters::users>, ""},
    {"app", &take_name<&Filters::apps>, ""},
    {"category", &take_name<&Filters::categories>, ""},
    {"sender", &take_name<&Filters::senders>, ""},
    {"rating", &take_bit<&Filters::ratings, ratings>, a_rating},
    {"agentrating", &take_bit<&Filters::agent_ratings, ratings>, a_rating},
    {"state", &take_name<&Filters::states>, ""},
    {"assignee", &take_name<&Filters::assignees>, ""},
    {"channel", &take_name<&Filters::channels>, ""},
    {"has", &take_bit<&Filters::has, belongings>, a_belonging},
    {"after", &take_time<&Filters::after, &read_after>, a_time},
    {"before", &take_time<&Filters::before, &read_before>, a_time},
});

UnknownFilter unknown_filter(const FilterKey& key, std::string_view value, bool as_words)
{
    UnknownFilter unknown{std::string(key.name), std::string(value), {}, as_words};
    for (std::string_view rest = key.valid; !rest.empty();) {
        const std::string_view one = rest.substr(0, rest.find(','));
        unknown.valid.emplace_back(one);
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    }
    return unknown;
}

const FilterKey* find_key(std::string_view name)
{
    const auto found = std::find_if(filter_keys.begin(), filter_keys.end(),
                                    [&](const FilterKey& key) { return is_word(key.name, name); });
    return found == filter_keys.end() ? nullptr : &*found;
}

/// Takes a text to pieces.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool next(Piece& piece)
    {
        while (at_ < text_.size() && gap_at(text_, at_) > 0) at_ += gap_at(text_, at_);
        if (at_ >= text_.size()) return false;
        piece = {};
        const std::size_t from = at_;
        if (text_[at_] == '-') piece.negated = true, ++at_;
        take(piece);
        if (piece.key.empty() && !piece.quoted) split_key(piece);
        if (piece.quoted && at_ < text_.size() && text_[at_] == '*') piece.starred = true, ++at_;
        if (!piece.quoted && piece.text.ends_with('*')) piece.starred = true;
        piece.whole = text_.substr(from, at_ - from);
        return true;
    }

  private:
    void take(Piece& piece)
    {
        if (at_ >= text_.size()) return;
        if (const std::size_t quote = quote_at(text_, at_); quote > 0) return take_quoted(piece, quote);
        const std::size_t from = at_;
        while (at_ < text_.size() && space_at(text_, at_) == 0 && quote_at(text_, at_) == 0) ++at_;
        piece.text = text_.substr(from, at_ - from);
    }

    void take_quoted(Piece& piece, std::size_t quote)
    {
        const std::size_t from = at_ += quote;
        while (at_ < text_.size() && quote_at(text_, at_) == 0) ++at_;
        piece.text = text_.substr(from, at_ - from);
        piece.quoted = true;
        if (at_ < text_.size()) at_ += quote_at(text_, at_);
    }

    void split_key(Piece& piece) // user:mina, user:"Mina Park"
    {
        const std::size_t colon = piece.text.find(':');
        if (colon == std::string_view::npos || piece.negated || find_key(piece.text.substr(0, colon)) == nullptr)
            return;
        const std::string_view value = piece.text.substr(colon + 1);
        if (value.empty() && (at_ >= text_.size() || quote_at(text_, at_) == 0)) return;
        piece.key = piece.text.substr(0, colon);
        piece.text = value;
        if (value.empty()) take_quoted(piece, quote_at(text_, at_));
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Phrase phrase_of(const Piece& piece)
{
    const std::string text = strip_markdown(piece.key.empty() ? piece.text : piece.whole); // as texts are indexed
    Phrase phrase{tokens_of(text, most_atoms), piece.starred};
    phrase.drops_last = !piece.quoted && ends_with_long_vowel(phrase.tokens);
    return phrase;
}

bool is_same(const Phrase& a, const Phrase& b)
{
    const auto same = [](const PhraseToken& x, const PhraseToken& y) {
        return x.text == y.text && x.unspaced == y.unspaced && x.joined == y.joined;
    };
    return a.prefix == b.prefix && a.drops_last == b.drops_last &&
           std::equal(a.tokens.begin(), a.tokens.end(), b.tokens.begin(), b.tokens.end(), same);
}

bool is_among(const std::vector<Phrase>& phrases, const Phrase& phrase)
{
    return std::any_of(phrases.begin(), phrases.end(), [&](const Phrase& one) { return is_same(one, phrase); });
}

/// Puts pieces together.
class Reading {
  public:
    explicit Reading(const Calendar& calendar) : calendar_(calendar) {}

    void add(const Piece& piece)
    {
        if (is_operator(piece, "OR")) {
            if (either_) add_words(piece); // the second of two is a word
            either_ = true;
            or_ = piece;
            return;
        }
        if (is_operator(piece, "AND") && !both_ && !either_ && !parsed.empty()) {
            both_ = piece;
            return;
        }
        both_.reset(); // all must match anyway
        if (!piece.key.empty() && take_filter(piece)) return drop_or();
        add_words(piece);
    }

    void finish()
    {
        drop_or();
        if (both_) add_words(*both_); // it joins nothing
    }

    ParsedQuery parsed;

  private:
    static bool is_operator(const Piece& piece, std::string_view name)
    {
        return piece.key.empty() && !piece.quoted && !piece.negated && piece.text == name;
    }

    bool take_filter(const Piece& piece)
    {
        const FilterKey& key = *find_key(piece.key);
        if (key.take(parsed.filters, piece.text, calendar_)) return true;
        auto& unknown = parsed.filters.unknown;
        if (unknown.size() < most_names) unknown.push_back(unknown_filter(key, piece.text, true));
        return false;
    }

    void drop_or() // it joins nothing, so it is a word
    {
        if (!std::exchange(either_, false)) return;
        Piece word = or_;
        add_words(word);
    }

    void add_words(const Piece& piece)
    {
        auto& clauses = parsed.clauses;
        const bool joins = either_ && !piece.negated && !clauses.empty() && !clauses.back().negated;
        if (!joins) drop_or();
        either_ = false;
        Phrase phrase = phrase_of(piece);
        if (phrase.tokens.empty() || count_ >= most_phrases) return;
        if (joins && is_among(clauses.back().any, phrase)) return;
        ++count_;
        if (joins)
            clauses.back().any.push_back(std::move(phrase));
        else
            clauses.push_back({piece.negated, {std::move(phrase)}});
    }

    const Calendar& calendar_;
    std::size_t count_ = 0; // phrases of all clauses
    bool either_ = false;   // an OR waits for its other side
    Piece or_;
    std::optional<Piece> both_; // an AND, likewise
};

} // namespace

bool Filters::empty() const
{
    const auto names = {&users, &apps, &categories, &senders, &states, &assignees, &channels};
    return !after && !before && ratings == 0 && agent_ratings == 0 && has == 0 &&
           std::all_of(names.begin(), names.end(), [](const auto* of) { return of->empty(); });
}

bool Filters::needs_facts() const
{
    return ratings != 0 || agent_ratings != 0 || has != 0 || !states.empty() || !assignees.empty() || !channels.empty();
}

std::vector<Phrase> ParsedQuery::wanted() const
{
    std::vector<Phrase> all;
    for (const Clause& clause : clauses)
        if (!clause.negated) all.insert(all.end(), clause.any.begin(), clause.any.end());
    return all;
}

ParsedQuery parse_search_query(std::string_view text, const Zone& zone, std::optional<Instant> now)
{
    const Calendar calendar{zone, now};
    Scanner scanner(text);
    Reading reading(calendar);
    Piece piece;
    while (scanner.next(piece)) reading.add(piece);
    reading.finish();
    return std::move(reading.parsed);
}

bool add_filter(Filters& filters, std::string_view name, std::string_view value, const Zone& zone,
                std::optional<Instant> now)
{
    const FilterKey* key = find_key(name);
    assert(key != nullptr);
    if (key->take(filters, value, {zone, now})) return true;
    filters.unknown.push_back(unknown_filter(*key, value, false));
    return false;
}

} // namespace alli::cache
