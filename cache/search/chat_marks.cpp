// SPDX-License-Identifier: Apache-2.0
#include "cache/search/chat_marks.hpp"

#include "cache/chats/packed_facts.hpp"

#include <array>

namespace alli::cache {
namespace {

struct RatingKind {
    unsigned Filters::*wanted;
    Postings (*find)(Reader& db, unsigned wanted, int lane);
};

Postings marked(Reader& db, std::string_view condition, int lane)
{
    return match_statement(
        db, fmt::format("SELECT pk FROM chat_row INDEXED BY {} AND pk <= ?1 ORDER BY pk DESC", condition), lane);
}

std::optional<std::int64_t> find_facts(Reader& db, std::int64_t pk)
{
    return db.one<std::int64_t>("SELECT facts FROM chat_row WHERE pk = ?1", pk);
}

Postings rated(Reader& db, unsigned wanted, int lane)
{
    std::vector<Postings> any;
    if ((wanted & rated_bad) != 0) any.push_back(marked(db, "chat_bad WHERE facts & 2 <> 0", lane));
    if ((wanted & rated_good) != 0) any.push_back(marked(db, "chat_good WHERE facts & 4 <> 0", lane));
    return match_any(std::move(any));
}

// Agents rate few: one index has both.
Postings rated_by_agents(Reader& db, unsigned wanted, int lane)
{
    const std::int64_t bits =
        ((wanted & rated_bad) != 0 ? fact::agent_bad : 0) | ((wanted & rated_good) != 0 ? fact::agent_good : 0);
    return match_where(marked(db, "chat_agent_rated WHERE facts & 24 <> 0", lane),
                       [&db, bits](std::int64_t pk) { return (find_facts(db, pk).value_or(0) & bits) != 0; });
}

constexpr std::array rating_kinds{RatingKind{&Filters::ratings, &rated},
                                  RatingKind{&Filters::agent_ratings, &rated_by_agents}};

std::vector<Postings> sparse_marks(Reader& db, const Filters& filters, int lane)
{
    std::vector<Postings> all;
    for (const RatingKind& kind : rating_kinds) {
        const unsigned wanted = filters.*kind.wanted;
        if (wanted == 0 || (wanted & unrated) != 0) continue;
        all.push_back(kind.find(db, wanted, lane));
    }
    if ((filters.has & has_feedback) != 0) all.push_back(marked(db, "chat_feedback WHERE facts & 32 <> 0", lane));
    if ((filters.has & has_steps_listed) != 0) all.push_back(marked(db, "chat_steps WHERE facts & 128 <> 0", lane));
    return all;
}

bool is_wanted(unsigned wanted, std::int64_t facts, const std::optional<bool>& rating)
{
    if (wanted == 0) return true;
    if (!rating) return (facts & fact::answer) != 0 && (wanted & unrated) != 0;
    return (wanted & (*rating ? rated_good : rated_bad)) != 0;
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
        const auto known = find_facts(db, pk);
        if (!known) return false;
        return is_wanted(ratings, *known, rating_in(*known)) && is_wanted(agents, *known, agent_rating_in(*known)) &&
               (!cites || (*known & fact::citations) != 0);
    };
    return match_where(std::move(chats), holds);
}

} // namespace alli::cache
