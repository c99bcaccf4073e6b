// SPDX-License-Identifier: Apache-2.0
#include "cache/search/ranking.hpp"

#include "cache/rows/conversation_rows.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace alli::cache {
namespace {

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

struct Titled { // a conversation in the order of its last chat; without one it comes last
    std::int64_t at = lowest;
    std::string id;
    std::int64_t pk = 0;

    bool operator<(const Titled& other) const { return std::tie(at, id) < std::tie(other.at, other.id); }
};

/// Conversations that match, newest first. Few are sorted; of many the newest are looked through one by one.
class Titles {
  public:
    Titles(Reader& db, const ParsedQuery& parsed, const SearchPosition& from) : db_(db)
    {
        const auto matches = matching_conversations(db, parsed, 2);
        if (!matches) return;
        std::vector<std::int64_t> keys;
        for (auto pk = matches->seek(highest); pk; pk = matches->seek(*pk - 1)) keys.push_back(*pk);
        const Titled last{from.titled_at, from.titled, 0};
        std::reverse(keys.begin(), keys.end());
        if (keys.size() > few)
            walk(keys, last);
        else
            sort(keys, last);
    }

    const Titled* front() const { return at_ < found_.size() ? &found_[at_] : nullptr; }
    void pop() { ++at_; }

  private:
    static constexpr std::size_t few = 3000;
    static constexpr std::size_t at_once = 1001; // no page shows more

    void sort(const std::vector<std::int64_t>& keys, const Titled& last)
    {
        for (const std::int64_t pk : keys)
            for (const Row row : db_.query("SELECT last_chat_at, id, pk FROM conversation WHERE pk = ?1", pk))
                if (Titled titled = read(row); titled < last) found_.push_back(std::move(titled));
        std::sort(found_.begin(), found_.end(), [](const Titled& a, const Titled& b) { return b < a; });
    }

    void walk(const std::vector<std::int64_t>& keys, const Titled& last)
    {
        for (const char* part :
             {"last_chat_at IS NOT NULL AND last_chat_at <= ?1", "last_chat_at IS NULL AND ?1 <= ?1"})
            for (const Row row : db_.query(fmt::format("SELECT last_chat_at, id, pk FROM conversation WHERE {}"
                                                       " ORDER BY last_chat_at DESC, id DESC",
                                                       part),
                                           last.at)) {
                if (found_.size() == at_once) return;
                Titled titled = read(row);
                if (titled < last && std::binary_search(keys.begin(), keys.end(), titled.pk))
                    found_.push_back(std::move(titled));
            }
    }

    static Titled read(const Row& row)
    {
        return {row.optional_integer(0).value_or(lowest), std::string(row.text(1)), row.integer(2)};
    }

    Reader& db_;
    std::vector<Titled> found_;
    std::size_t at_ = 0;
};

/// Conversations that are found without a word have no chat: they come behind all chats, and are not looked for before.
class ByTime final : public Ranking {
  public:
    ByTime(Reader& db, const ParsedQuery& parsed, const SearchPosition& from)
        : db_(db), parsed_(parsed), from_(from), chats_(matching_chats(db, parsed))
    {
        chat_ = chats_->seek(from.chat - 1);
    }

    std::optional<Ranked> next() override
    {
        const Titled* titled = next_title();
        if (!titled && !chat_) return std::nullopt;
        if (titled && (!chat_ || titled->at > second_as_micros(*chat_))) return Ranked{titled->pk, true, 0};
        return Ranked{*chat_, false, 0};
    }

    void pass(const Ranked& ranked, SearchPosition& position) override
    {
        if (ranked.is_title) {
            position.titled_at = titles_->front()->at;
            position.titled = titles_->front()->id;
            titles_->pop();
        } else {
            position.chat = *chat_;
            chat_ = chats_->seek(*chat_ - 1);
        }
    }

  private:
    const Titled* next_title()
    {
        if (!titles_ && parsed_.clauses.empty() && chat_) return nullptr;
        if (!titles_) titles_.emplace(db_, parsed_, from_);
        return titles_->front();
    }

    static std::int64_t second_as_micros(std::int64_t second)
    {
        constexpr std::int64_t micros = 1'000'000;
        return std::clamp(second, lowest / micros, highest / micros) * micros;
    }

    Reader& db_;
    const ParsedQuery& parsed_;
    const SearchPosition from_;
    Postings chats_;
    std::optional<std::int64_t> chat_;
    std::optional<Titles> titles_;
};

/// Scores by rowid, from the newest down, of whatever an expression matches.
class Scores {
  public:
    Scores(Reader& db, const char* sql, const std::string& expression)
    {
        if (expression.empty()) return;
        rows_.reset(new Rows(db.query(sql, expression)));
        step();
    }

    double at(std::int64_t pk) // pk never rises
    {
        while (pk_ && *pk_ > pk) step();
        return pk_ == pk ? score_ : 0;
    }

  private:
    void step()
    {
        pk_ = rows_->step() ? std::optional(rows_->row().integer(0)) : std::nullopt;
        if (pk_) score_ = rows_->row().real(1);
    }

    std::unique_ptr<Rows> rows_;
    std::optional<std::int64_t> pk_;
    double score_ = 0;
};

class ByRelevance final : public Ranking {
  public:
    ByRelevance(Reader& db, const ParsedQuery& parsed, const SearchPosition& from) : db_(db), newest_(from.newest)
    {
        add_chats(db, parsed);
        add_titles(db, parsed);
        std::sort(ranked_.begin(), ranked_.end(), before);
        if (from.titled_at == highest) return; // the first page
        const std::int64_t key = from.titled.empty() ? from.chat : find_pk(db, {from.titled}).value_or(0);
        const Ranked last{key, !from.chat_was_last, from.score};
        ranked_.erase(ranked_.begin(), std::upper_bound(ranked_.begin(), ranked_.end(), last, before));
    }

    std::optional<Ranked> next() override { return at_ < ranked_.size() ? std::optional(ranked_[at_]) : std::nullopt; }

    // The key of a conversation's row would tell how many there are.
    void pass(const Ranked& ranked, SearchPosition& position) override
    {
        position.chat = ranked.is_title ? 0 : ranked.pk;
        position.titled = ranked.is_title ? id_of(db_, ranked.pk) : std::string();
        position.chat_was_last = !ranked.is_title;
        position.score = ranked.score;
        position.titled_at = 0;
        ++at_;
    }

  private:
    static constexpr std::size_t most = 50'000;
    static constexpr double title_weight = 2, floor = 1e-6; // of a hit whose words have no worth of their own

    static bool before(const Ranked& a, const Ranked& b)
    {
        return std::tie(b.score, b.pk, b.is_title) < std::tie(a.score, a.pk, a.is_title);
    }

    // From double for the newest down to one; half of that is gone after half a year.
    double freshness(std::int64_t second) const
    {
        constexpr double half_a_year = 15'768'000;
        const double age = std::max(0.0, static_cast<double>(newest_) - static_cast<double>(second));
        return 1 + 1 / (1 + age / half_a_year);
    }

    void add_chats(Reader& db, const ParsedQuery& parsed)
    {
        const auto chats = matching_chats(db, parsed);
        const bool whole = parsed.filters.visible.is_whole();
        Scores scores(db,
                      whole ? "SELECT rowid, -bm25(chat_words, 1.0, 0.5) FROM chat_words WHERE chat_words MATCH ?1"
                              " ORDER BY rowid DESC"
                            : "SELECT rowid, term_frequency(chat_words, 1.0, 0.5) FROM chat_words"
                              " WHERE chat_words MATCH ?1 ORDER BY rowid DESC",
                      relevance_of_chats(parsed));
        for (auto pk = chats->seek(newest_); pk && ranked_.size() < most; pk = chats->seek(*pk - 1))
            ranked_.push_back({*pk, false, std::max(scores.at(*pk), floor) * freshness(*pk)});
    }

    void add_titles(Reader& db, const ParsedQuery& parsed)
    {
        const auto titles = matching_conversations(db, parsed, 2);
        if (!titles) return;
        const bool whole = parsed.filters.visible.is_whole();
        Scores scores(db,
                      whole ? "SELECT rowid, -bm25(conversation_words, 1.0, 1.0, 0.5) FROM conversation_words"
                              " WHERE conversation_words MATCH ?1 ORDER BY rowid DESC"
                            : "SELECT rowid, term_frequency(conversation_words, 1.0, 1.0, 0.5) FROM conversation_words"
                              " WHERE conversation_words MATCH ?1 ORDER BY rowid DESC",
                      relevance_of_conversations(parsed));
        const std::size_t chats = ranked_.size();
        for (auto pk = titles->seek(highest); pk && ranked_.size() < chats + most; pk = titles->seek(*pk - 1))
            ranked_.push_back(
                {*pk, true, std::max(scores.at(*pk), floor) * title_weight * freshness(second_of(db, *pk))});
    }

    static std::int64_t second_of(Reader& db, std::int64_t conversation)
    {
        return db.one<std::int64_t>("SELECT last_chat_at / 1000000 FROM conversation WHERE pk = ?1", conversation)
            .value_or(0);
    }

    static std::string id_of(Reader& db, std::int64_t conversation)
    {
        return db.one<std::string>("SELECT id FROM conversation WHERE pk = ?1", conversation).value_or("");
    }

    Reader& db_;
    std::int64_t newest_;
    std::vector<Ranked> ranked_;
    std::size_t at_ = 0;
};

} // namespace

std::unique_ptr<Ranking> rank_by_time(Reader& db, const ParsedQuery& parsed, const SearchPosition& from)
{
    return std::make_unique<ByTime>(db, parsed, from);
}

std::unique_ptr<Ranking> rank_by_relevance(Reader& db, const ParsedQuery& parsed, const SearchPosition& from)
{
    return std::make_unique<ByRelevance>(db, parsed, from);
}

} // namespace alli::cache
