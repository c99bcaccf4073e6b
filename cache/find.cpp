// SPDX-License-Identifier: Apache-2.0
#include "cache/find.hpp"

#include "cache/filters.hpp"
#include "cache/index.hpp"
#include "cache/tokens.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

using Check = std::function<bool(Reader&, std::int64_t, const Phrase&)>;

/// The tables of one kind of row, and how its text is looked at where they leave a doubt.
struct Place {
    std::string words, letters; // the same table: it has all letters
    bool (*check)(Reader& db, std::int64_t pk, const Phrase& phrase);

    bool has_all_letters() const { return words == letters; }
};

bool check_chat(Reader& db, std::int64_t pk, const Phrase& phrase)
{
    Rows rows = db.query("SELECT raw FROM chat WHERE pk = ?1", pk);
    if (!rows.step()) return false;
    const ChatWords words = words_of_chat(rows.row().text(0));
    return holds(atoms_of(words.text), phrase) || holds(atoms_of(words.citations), phrase);
}

bool check_conversation(Reader& db, std::int64_t pk, const Phrase& phrase)
{
    Rows rows = db.query("SELECT title, user_name, user_id, memo FROM conversation WHERE pk = ?1", pk);
    if (!rows.step()) return false;
    for (int column = 0; column < 4; ++column)
        if (holds(atoms_of(rows.row().text(column)), phrase)) return true;
    return false;
}

Place place_of(IndexKind kind, const std::string& prefix)
{
    if (kind == IndexKind::chat) return {prefix + "chat_words", prefix + "chat_letters", &check_chat};
    return {prefix + "conversation_words", prefix + "conversation_words", &check_conversation};
}

std::string letter_expression(const Phrase& phrase)
{
    return '"' + phrase.atoms.front().text + '"';
}

bool is_plain(const Phrase& phrase, bool has_all_letters) // one expression of the index of words says it all
{
    return !phrase.needs_check(has_all_letters) && (has_all_letters || !phrase.is_letter());
}

std::string expression_of(const Phrase& phrase)
{
    return phrase.is_letter() ? letter_expression(phrase) : index_expression(phrase);
}

std::string join(const std::vector<std::string>& parts, std::string_view by)
{
    if (parts.size() == 1) return parts.front();
    return fmt::format("({})", fmt::join(parts, by));
}

/// The clauses that the index of words can answer by itself, as one expression, and the others.
struct Split {
    std::vector<std::string> wanted, unwanted; // expressions
    std::vector<const Clause*> rest;

    Split(const Question& question, bool has_all_letters)
    {
        for (const Clause& clause : question.clauses) {
            const bool plain = std::all_of(clause.any.begin(), clause.any.end(),
                                           [&](const Phrase& phrase) { return is_plain(phrase, has_all_letters); });
            if (!plain) {
                rest.push_back(&clause);
                continue;
            }
            std::vector<std::string> any;
            for (const Phrase& phrase : clause.any) any.push_back(expression_of(phrase));
            (clause.negated ? unwanted : wanted).push_back(join(any, " OR "));
        }
    }

    std::string expression() const
    {
        if (wanted.empty()) return {};
        const std::string all = join(wanted, " AND ");
        return unwanted.empty() ? all : all + " NOT " + join(unwanted, " OR ");
    }
};

/// Makes the streams of one question over one place.
class Finder {
  public:
    Finder(Reader& db, Place place, int serial) : db_(db), place_(std::move(place)), serial_(serial) {}

    /// Null: nothing is wanted, only unwanted.
    MatchesPtr wanted(const Question& question)
    {
        const Split split(question, place_.has_all_letters());
        std::vector<MatchesPtr> all;
        if (const std::string words = split.expression(); !words.empty()) all.push_back(ask(place_.words, words));
        for (const Clause* clause : split.rest)
            if (!clause->negated) all.push_back(any_of(*clause));
        return all.empty() ? nullptr : match_all(std::move(all));
    }

    MatchesPtr without_unwanted(const Question& question, MatchesPtr matches)
    {
        const Split split(question, place_.has_all_letters());
        std::vector<MatchesPtr> none;
        if (split.wanted.empty() && !split.unwanted.empty()) // else the expression has them already
            none.push_back(ask(place_.words, join(split.unwanted, " OR ")));
        for (const Clause* clause : split.rest)
            if (clause->negated) none.push_back(any_of(*clause));
        return none.empty() ? std::move(matches) : match_without(std::move(matches), match_any(std::move(none)));
    }

  private:
    MatchesPtr ask(const std::string& table, std::string expression)
    {
        return match_words(db_, table, std::move(expression), serial_++);
    }

    MatchesPtr letter(const Phrase& phrase)
    {
        MatchesPtr ends = ask(place_.letters, letter_expression(phrase));
        const Atom& atom = phrase.atoms.front();
        Letter read{};
        Letters(atom.text).next(read);
        if (place_.has_all_letters() || is_common(read.code)) return ends;
        std::vector<MatchesPtr> any;
        any.push_back(std::move(ends));
        any.push_back(ask(place_.words, index_expression(phrase)));
        return match_any(std::move(any));
    }

    MatchesPtr one(const Phrase& phrase)
    {
        if (phrase.is_letter()) return letter(phrase);
        MatchesPtr words = ask(place_.words, index_expression(phrase));
        if (!phrase.needs_check(place_.has_all_letters())) return words;
        if (phrase.skips_first()) words = and_letter(std::move(words), phrase.atoms.front());
        return match_where(std::move(words), [this_db = &db_, check = place_.check, &phrase,
                                              sure = sure_matches(phrase)](std::int64_t pk) {
            return (sure && sure->at_most(pk) == pk) || check(*this_db, pk, phrase);
        });
    }

    MatchesPtr and_letter(MatchesPtr words, const Atom& atom)
    {
        std::vector<MatchesPtr> both;
        both.push_back(std::move(words)), both.push_back(letter(Phrase{{atom}}));
        return match_all(std::move(both));
    }

    // Most rows hold a word with its long vowel: these need not be looked at.
    std::shared_ptr<Matches> sure_matches(const Phrase& phrase)
    {
        if (!phrase.drops_last) return nullptr;
        const Phrase whole{phrase.atoms, phrase.prefix};
        if (whole.needs_check(place_.has_all_letters())) return nullptr;
        return ask(place_.words, index_expression(whole));
    }

    MatchesPtr any_of(const Clause& clause)
    {
        std::vector<MatchesPtr> any;
        for (const Phrase& phrase : clause.any) any.push_back(one(phrase));
        return match_any(std::move(any));
    }

    Reader& db_;
    Place place_;
    int serial_;
};

constexpr int serials_a_lane = 1000; // more than streams of a question, old and new

// The rows that the index being made has not reached yet, by the one before it.
MatchesPtr only_old(Reader& db, IndexKind kind, std::int64_t bound, MatchesPtr matches)
{
    const auto stays = [&db, name = kind == IndexKind::chat ? "chat" : "conversation"](std::int64_t pk) {
        return !db.query("SELECT 1 FROM word_moved WHERE kind = ?1 AND pk = ?2", name, pk).step();
    };
    return match_where(match_between(std::move(matches), std::numeric_limits<std::int64_t>::min(), bound - 1), stays);
}

MatchesPtr with_old(MatchesPtr made, MatchesPtr old)
{
    std::vector<MatchesPtr> both;
    both.push_back(std::move(made)), both.push_back(std::move(old));
    return match_any(std::move(both));
}

MatchesPtr find(Reader& db, IndexKind kind, const Question& question, int lane)
{
    Finder finder(db, place_of(kind, ""), lane * serials_a_lane);
    MatchesPtr made = finder.wanted(question);
    const bool nothing_wanted = !made;
    if (nothing_wanted) made = match_rows(db, kind == IndexKind::chat ? "chat_row" : "conversation", lane);
    made = finder.without_unwanted(question, std::move(made));

    const IndexState state = load_index_state(db, kind);
    if (!state.bound || !state.has_old || nothing_wanted) return made;
    Finder before(db, place_of(kind, "old_"), lane * serials_a_lane);
    MatchesPtr old = before.without_unwanted(question, before.wanted(question));
    return with_old(std::move(made), only_old(db, kind, *state.bound, std::move(old)));
}

bool has_wanted(const Question& question)
{
    return std::any_of(question.clauses.begin(), question.clauses.end(), [](const Clause& c) { return !c.negated; });
}

std::string worth(const Question& question, bool has_all_letters)
{
    const Split split(question, has_all_letters);
    return split.wanted.empty() ? std::string() : join(split.wanted, " AND ");
}

} // namespace

MatchesPtr match_conversations(Reader& db, const std::string& expression, int serial)
{
    MatchesPtr made = match_words(db, "conversation_words", expression, serial);
    const IndexState state = load_index_state(db, IndexKind::conversation);
    if (!state.bound || !state.has_old) return made;
    return with_old(std::move(made), only_old(db, IndexKind::conversation, *state.bound,
                                              match_words(db, "old_conversation_words", expression, serial)));
}

MatchesPtr matching_chats(Reader& db, const Question& question, int lane)
{
    return filter_chats(db, question.filters, find(db, IndexKind::chat, question, lane));
}

MatchesPtr matching_conversations(Reader& db, const Question& question, int lane)
{
    if (!question.filters.senders.empty() || !has_wanted(question)) return nullptr;
    return filter_conversations(db, question.filters, find(db, IndexKind::conversation, question, lane));
}

std::string worth_of_chats(const Question& question)
{
    return worth(question, false);
}

std::string worth_of_conversations(const Question& question)
{
    return worth(question, true);
}

} // namespace alli::cache
