// SPDX-License-Identifier: Apache-2.0
#include "cache/search/query_executor.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/search/filters.hpp"
#include "cache/text/tokens.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

using Check = std::function<bool(Reader&, std::int64_t, const Phrase&)>;

/// The tables of one kind of row, and how its text is looked at where they leave a doubt.
struct IndexTables {
    std::string words, letters; // the same table: it has all letters
    bool (*check)(Reader& db, std::int64_t pk, const Phrase& phrase);

    bool has_all_letters() const { return words == letters; }
};

bool check_chat(Reader& db, std::int64_t pk, const Phrase& phrase)
{
    const auto key = db.one<std::int64_t>("SELECT place FROM chat_row WHERE pk = ?1", pk);
    const auto text = key ? find_text_at(db, *key) : std::nullopt;
    if (!text) return false;
    const ChatWords words = words_of_chat(text->raw);
    return holds(tokens_of(words.text), phrase) || holds(tokens_of(words.citations), phrase);
}

bool check_conversation(Reader& db, std::int64_t pk, const Phrase& phrase)
{
    Rows rows = db.query("SELECT title, user_name, user_id, memo FROM conversation WHERE pk = ?1", pk);
    if (!rows.step()) return false;
    for (int column = 0; column < 4; ++column)
        if (holds(tokens_of(rows.row().text(column)), phrase)) return true;
    return false;
}

IndexTables tables_of(IndexKind kind)
{
    if (kind == IndexKind::chat) return {"chat_words", "chat_letters", &check_chat};
    return {"conversation_words", "conversation_words", &check_conversation};
}

std::string letter_expression(const Phrase& phrase)
{
    return '"' + phrase.tokens.front().text + '"';
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

    Split(const ParsedQuery& parsed, bool has_all_letters)
    {
        for (const Clause& clause : parsed.clauses) {
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
    Finder(Reader& db, IndexTables tables, int serial) : db_(db), tables_(std::move(tables)), serial_(serial) {}

    /// Null: nothing is wanted, only unwanted.
    Postings wanted(const ParsedQuery& parsed)
    {
        const Split split(parsed, tables_.has_all_letters());
        std::vector<Postings> all;
        if (const std::string words = split.expression(); !words.empty()) all.push_back(ask(tables_.words, words));
        for (const Clause* clause : split.rest)
            if (!clause->negated) all.push_back(any_of(*clause));
        return all.empty() ? nullptr : match_all(std::move(all));
    }

    Postings without_unwanted(const ParsedQuery& parsed, Postings matches)
    {
        const Split split(parsed, tables_.has_all_letters());
        std::vector<Postings> none;
        if (split.wanted.empty() && !split.unwanted.empty()) // else the expression has them already
            none.push_back(ask(tables_.words, join(split.unwanted, " OR ")));
        for (const Clause* clause : split.rest)
            if (clause->negated) none.push_back(any_of(*clause));
        return none.empty() ? std::move(matches) : match_without(std::move(matches), match_any(std::move(none)));
    }

  private:
    Postings ask(const std::string& table, std::string expression)
    {
        return match_words(db_, table, std::move(expression), serial_++);
    }

    Postings letter(const Phrase& phrase)
    {
        Postings ends = ask(tables_.letters, letter_expression(phrase));
        const PhraseToken& token = phrase.tokens.front();
        Letter read{};
        Normalizer(token.text).next(read);
        if (tables_.has_all_letters() || is_common(read.code)) return ends;
        std::vector<Postings> any;
        any.push_back(std::move(ends));
        any.push_back(ask(tables_.words, index_expression(phrase)));
        return match_any(std::move(any));
    }

    Postings one(const Phrase& phrase)
    {
        if (phrase.is_letter()) return letter(phrase);
        Postings words = ask(tables_.words, index_expression(phrase));
        if (!phrase.needs_check(tables_.has_all_letters())) return words;
        if (phrase.skips_first()) words = and_letter(std::move(words), phrase.tokens.front());
        return match_where(std::move(words), [this_db = &db_, check = tables_.check, &phrase,
                                              sure = sure_matches(phrase)](std::int64_t pk) {
            return (sure && sure->seek(pk) == pk) || check(*this_db, pk, phrase);
        });
    }

    Postings and_letter(Postings words, const PhraseToken& token)
    {
        std::vector<Postings> both;
        both.push_back(std::move(words)), both.push_back(letter(Phrase{{token}}));
        return match_all(std::move(both));
    }

    // Most rows hold a word with its long vowel: these need not be looked at.
    std::shared_ptr<PostingIterator> sure_matches(const Phrase& phrase)
    {
        if (!phrase.drops_last) return nullptr;
        const Phrase whole{phrase.tokens, phrase.prefix};
        if (whole.needs_check(tables_.has_all_letters())) return nullptr;
        return ask(tables_.words, index_expression(whole));
    }

    Postings any_of(const Clause& clause)
    {
        std::vector<Postings> any;
        for (const Phrase& phrase : clause.any) any.push_back(one(phrase));
        return match_any(std::move(any));
    }

    Reader& db_;
    IndexTables tables_;
    int serial_;
};

constexpr int serials_a_lane = 1000; // more than streams of a question

// While the index is rebuilt nothing below its bound can be told, not even that a word is absent.
Postings within_index(Reader& db, IndexKind kind, Postings matches)
{
    const auto bound = find_index_bound(db, kind);
    return bound ? match_between(std::move(matches), *bound, std::numeric_limits<std::int64_t>::max())
                 : std::move(matches);
}

Postings find(Reader& db, IndexKind kind, const ParsedQuery& parsed, int lane)
{
    Finder finder(db, tables_of(kind), lane * serials_a_lane);
    Postings found = finder.wanted(parsed);
    if (!found) found = match_rows(db, kind == IndexKind::chat ? "chat_row" : "conversation", lane);
    found = finder.without_unwanted(parsed, std::move(found));
    return parsed.clauses.empty() ? std::move(found) : within_index(db, kind, std::move(found));
}

bool has_wanted(const ParsedQuery& parsed)
{
    return std::any_of(parsed.clauses.begin(), parsed.clauses.end(), [](const Clause& c) { return !c.negated; });
}

std::string relevance_expression(const ParsedQuery& parsed, bool has_all_letters)
{
    const Split split(parsed, has_all_letters);
    return split.wanted.empty() ? std::string() : join(split.wanted, " AND ");
}

} // namespace

Postings match_conversations(Reader& db, const std::string& expression, int serial)
{
    return within_index(db, IndexKind::conversation, match_words(db, "conversation_words", expression, serial));
}

Postings matching_chats(Reader& db, const ParsedQuery& parsed, int lane)
{
    return filter_chats(db, parsed.filters, find(db, IndexKind::chat, parsed, lane), lane);
}

Postings matching_conversations(Reader& db, const ParsedQuery& parsed, int lane)
{
    const Filters& filters = parsed.filters;
    if (filters.of_chats()) return nullptr;
    if (has_wanted(parsed)) return filter_conversations(db, filters, find(db, IndexKind::conversation, parsed, lane));
    return parsed.clauses.empty() ? filter_chatless(db, filters) : nullptr;
}

std::string relevance_of_chats(const ParsedQuery& parsed)
{
    return relevance_expression(parsed, false);
}

std::string relevance_of_conversations(const ParsedQuery& parsed)
{
    return relevance_expression(parsed, true);
}

} // namespace alli::cache
