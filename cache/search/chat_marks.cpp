// SPDX-License-Identifier: Apache-2.0
#include "cache/search/chat_marks.hpp"

#include <array>

namespace alli::cache {
namespace {

struct RatingKind {
    unsigned Filters::*wanted;
    std::string_view column;
};
constexpr std::array rating_kinds{RatingKind{&Filters::ratings, "rating"},
                                  RatingKind{&Filters::agent_ratings, "agent_rating"}};

Postings rated(Reader& db, std::string_view column, int value, int lane)
{
    return match_statement(db,
                           fmt::format("SELECT chat FROM chat_fact INDEXED BY chat_fact_{0} WHERE {0} = {1}"
                                       " AND {0} IS NOT NULL AND chat <= ?1 ORDER BY chat DESC",
                                       column, value),
                           lane);
}

Postings marked(Reader& db, std::string_view column, int lane)
{
    return match_statement(db,
                           fmt::format("SELECT chat FROM chat_fact INDEXED BY chat_fact_{0} WHERE {0} = 1"
                                       " AND chat <= ?1 ORDER BY chat DESC",
                                       column),
                           lane);
}

std::vector<Postings> sparse_marks(Reader& db, const Filters& filters, int lane)
{
    std::vector<Postings> all;
    for (const RatingKind& kind : rating_kinds) {
        const unsigned wanted = filters.*kind.wanted;
        if (wanted == 0 || (wanted & unrated) != 0) continue;
        std::vector<Postings> any;
        if ((wanted & rated_bad) != 0) any.push_back(rated(db, kind.column, 0, lane));
        if ((wanted & rated_good) != 0) any.push_back(rated(db, kind.column, 1, lane));
        all.push_back(match_any(std::move(any)));
    }
    if ((filters.has & has_feedback) != 0) all.push_back(marked(db, "feedback", lane));
    if ((filters.has & has_steps_listed) != 0) all.push_back(marked(db, "steps", lane));
    return all;
}

bool is_wanted(unsigned wanted, bool answer, const std::optional<std::int64_t>& rating)
{
    if (wanted == 0) return true;
    if (!rating) return answer && (wanted & unrated) != 0;
    return (wanted & (*rating != 0 ? rated_good : rated_bad)) != 0;
}

bool needs_look(const Filters& filters)
{
    return ((filters.ratings | filters.agent_ratings) & unrated) != 0 || (filters.has & has_citations) != 0;
}

} // namespace

Postings filter_marks(Reader& db, const Filters& filters, Postings chats, int lane)
{
    std::vector<Postings> all = sparse_marks(db, filters, lane);
    all.push_back(std::move(chats));
    chats = match_all(std::move(all));
    if (!needs_look(filters)) return chats;
    const auto holds = [&db, ratings = filters.ratings, agents = filters.agent_ratings,
                        cites = (filters.has & has_citations) != 0](std::int64_t pk) {
        Rows rows = db.query("SELECT answer, rating, agent_rating, citations FROM chat_fact WHERE chat = ?1", pk);
        if (!rows.step()) return false;
        const Row row = rows.row();
        const bool answer = row.integer(0) != 0;
        return is_wanted(ratings, answer, row.optional_integer(1)) &&
               is_wanted(agents, answer, row.optional_integer(2)) && (!cites || row.integer(3) != 0);
    };
    return match_where(std::move(chats), holds);
}

} // namespace alli::cache
