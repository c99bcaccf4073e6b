// SPDX-License-Identifier: Apache-2.0
#include "cache/search/query_parser.hpp"

#include "cache/text/markdown.hpp"
#include <algorithm>
#include <array>
#include <utility>

namespace alli::cache {
namespace {

constexpr std::size_t most_clauses = 64, most_atoms = 200;

/// The length of a space at `at`, 0 when there is none. People who type Japanese part words with a wide one.
std::size_t space_at(std::string_view text, std::size_t at)
{
    const auto first = static_cast<unsigned char>(text[at]);
    if (first <= ' ' || first == 0x7f) return 1;
    for (const std::string_view space : {"\u3000", "\u00a0"})
        if (text.substr(at).starts_with(space)) return space.size();
    return 0;
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

struct FilterKey {
    std::string_view name;
    bool (*take)(Filters& filters, std::string_view value, const Zone& zone); // false: that is no value of it
};

template <auto Member>
bool take_name(Filters& filters, std::string_view value, const Zone&)
{
    auto& names = filters.*Member;
    if (names.size() < most_clauses && std::find(names.begin(), names.end(), value) == names.end())
        names.emplace_back(value);
    return true;
}

template <auto Member, auto Read>
bool take_time(Filters& filters, std::string_view value, const Zone& zone)
{
    const auto when = Read(value, zone);
    if (when) filters.*Member = when;
    return when.has_value();
}

constexpr auto filter_keys = std::to_array<FilterKey>({
    {"user", &take_name<&Filters::users>},
    {"app", &take_name<&Filters::apps>},
    {"category", &take_name<&Filters::categories>},
    {"sender", &take_name<&Filters::senders>},
    {"after", &take_time<&Filters::after, &read_after>},
    {"before", &take_time<&Filters::before, &read_before>},
});

const FilterKey* find_key(std::string_view name)
{
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
    const auto found = std::find_if(filter_keys.begin(), filter_keys.end(), [&](const FilterKey& key) {
        return std::equal(name.begin(), name.end(), key.name.begin(), key.name.end(), same);
    });
    return found == filter_keys.end() ? nullptr : &*found;
}

/// Takes a text to pieces.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool next(Piece& piece)
    {
        while (at_ < text_.size() && space_at(text_, at_) > 0) at_ += space_at(text_, at_);
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

/// Puts pieces together.
class Reading {
  public:
    explicit Reading(const Zone& zone) : zone_(zone) {}

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
        if (!piece.key.empty() && find_key(piece.key)->take(parsed.filters, piece.text, zone_)) return drop_or();
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
        if (phrase.tokens.empty() || clauses.size() >= most_clauses) return;
        if (joins && clauses.back().any.size() < most_clauses)
            clauses.back().any.push_back(std::move(phrase));
        else if (!joins)
            clauses.push_back({piece.negated, {std::move(phrase)}});
    }

    const Zone& zone_;
    bool either_ = false; // an OR waits for its other side
    Piece or_;
    std::optional<Piece> both_; // an AND, likewise
};

} // namespace

bool Filters::empty() const
{
    return users.empty() && apps.empty() && categories.empty() && senders.empty() && !after && !before;
}

std::vector<Phrase> ParsedQuery::wanted() const
{
    std::vector<Phrase> all;
    for (const Clause& clause : clauses)
        if (!clause.negated) all.insert(all.end(), clause.any.begin(), clause.any.end());
    return all;
}

ParsedQuery parse_search_query(std::string_view text, const Zone& zone)
{
    Scanner scanner(text);
    Reading reading(zone);
    Piece piece;
    while (scanner.next(piece)) reading.add(piece);
    reading.finish();
    return std::move(reading.parsed);
}

} // namespace alli::cache
