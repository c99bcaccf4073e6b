// SPDX-License-Identifier: Apache-2.0
#include "cache/search/search.hpp"

#include "cache/lists/list_plan.hpp"
#include "cache/search/filters.hpp"
#include "cache/search/known_values.hpp"
#include "cache/search/query_executor.hpp"
#include "cache/search/ranking.hpp"
#include "cache/search/reach.hpp"
#include "cache/search/result_loader.hpp"
#include "cache/search/search_cursor.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace alli::cache {
namespace {

constexpr std::int64_t exact_up_to = 10'000;

void add_options(Filters& filters, const SearchQuery& query)
{
    const auto add = [](std::vector<std::string>& names, const std::optional<std::string>& name) {
        if (name) names.push_back(*name);
    };
    add(filters.users, query.user);
    add(filters.apps, query.app);
    add(filters.categories, query.category);
    add(filters.senders, query.sender);
    for (const auto& [name, value] : query.more) add_filter(filters, name, value, query.zone, query.now);
    if (query.after) filters.after = std::max(filters.after.value_or(*query.after), *query.after);
    if (query.before) filters.before = std::min(filters.before.value_or(*query.before), *query.before);
}

std::int64_t count(Postings matches, std::int64_t newest)
{
    std::int64_t total = 0;
    if (!matches) return total;
    for (auto pk = matches->seek(newest); pk && total <= exact_up_to; pk = matches->seek(*pk - 1)) ++total;
    return total;
}

std::int64_t newest_chat(Reader& db)
{
    return db.one<std::int64_t>("SELECT max(pk) FROM chat_row").value_or(0);
}

std::int64_t newest_second(Reader& db, const Visibility& seen)
{
    const auto newest_at = newest(db, Order::last_chat_desc, seen);
    return newest_at ? std::chrono::floor<std::chrono::seconds>(*newest_at).time_since_epoch().count() : 0;
}

std::size_t size_of(const SearchHit& hit)
{
    std::size_t bytes = hit.title.size() + hit.user.size() + hit.snippet.size();
    for (const auto* around : {&hit.before, &hit.after})
        for (const ContextChat& chat : *around) bytes += chat.text.size();
    return bytes;
}

/// One page in the making.
class Search {
  public:
    Search(Reader& db, const SearchQuery& query) : db_(db), query_(query), parsed_(parse_query(query))
    {
        within_one_ = parsed_;
        for (auto* names : {&within_one_.filters.users, &within_one_.filters.apps, &within_one_.filters.categories,
                            &within_one_.filters.states, &within_one_.filters.assignees, &within_one_.filters.channels})
            names->clear();
        within_one_.filters.visible = {};
        wanted_ = parsed_.wanted();
        if (query.cursor) {
            position_ = read_search_cursor(*query.cursor, query);
        } else {
            position_.newest = position_.chat = newest_in_view();
            if (position_.chat != std::numeric_limits<std::int64_t>::max()) ++position_.chat;
            position_.titled_at = std::numeric_limits<std::int64_t>::max();
        }
    }

    SearchResult run()
    {
        result_.reach = load_reach(db_, parsed_.filters);
        note_unknown();
        if (parsed_.empty()) return std::move(result_);
        if (position_.total < 0) position_.total = count_all();
        result_.total = std::min(position_.total, exact_up_to);
        result_.total_exact = position_.total <= exact_up_to;
        if (position_.total == 0) note_unknown_senders();
        if (query_.grouped && !query_.cursor) result_.conversations = count_conversations();
        if (position_.total == 0) return std::move(result_);
        auto ranking = query_.sort == SearchSort::newest ? rank_by_time(db_, parsed_, position_)
                                                         : rank_by_relevance(db_, parsed_, position_);
        fill(*ranking);
        return std::move(result_);
    }

  private:
    // What ends up in cursors and scores: nothing of what is out of view.
    std::int64_t newest_in_view()
    {
        if (query_.visible.is_whole()) return newest_chat(db_);
        if (parsed_.empty()) return 0;
        const auto newest_match = matching_chats(db_, parsed_)->seek(std::numeric_limits<std::int64_t>::max());
        return std::max(newest_match.value_or(0), newest_second(db_, query_.visible));
    }

    std::int64_t count_all()
    {
        const std::int64_t chats = count(matching_chats(db_, parsed_), position_.newest);
        if (chats > exact_up_to) return chats;
        const auto highest = std::numeric_limits<std::int64_t>::max();
        return chats + count(matching_conversations(db_, parsed_), highest);
    }

    // The mistaken filters of a query are said once, and names only where they may be the reason that little was found.
    void note_unknown()
    {
        result_.unknown_filters = std::move(parsed_.filters.unknown);
        if (query_.cursor) return;
        for (UnknownFilter& one : find_unknown_names(db_, parsed_.filters))
            result_.unknown_filters.push_back(std::move(one));
    }

    // Any sender may be found: only where none is, an uncommon one is said.
    void note_unknown_senders()
    {
        const std::vector<std::string> usual{"USER", "BOT", "AGENT"};
        for (const std::string& sender : parsed_.filters.senders)
            if (std::none_of(usual.begin(), usual.end(), [&](const auto& it) { return folded(it) == folded(sender); }))
                result_.unknown_filters.push_back({"sender", sender, usual});
    }

    // Up to as many matches as the total counts.
    std::int64_t count_conversations()
    {
        std::set<std::int64_t> found;
        std::int64_t seen = 0;
        const auto chats = matching_chats(db_, parsed_);
        for (auto pk = chats->seek(position_.newest); pk && seen < exact_up_to; pk = chats->seek(*pk - 1), ++seen)
            found.insert(conversation_of({*pk, false, 0}));
        const auto titles = seen < exact_up_to ? matching_conversations(db_, parsed_, 1) : nullptr;
        if (!titles) return std::ssize(found);
        for (auto pk = titles->seek(std::numeric_limits<std::int64_t>::max()); pk && seen < exact_up_to;
             pk = titles->seek(*pk - 1), ++seen)
            found.insert(*pk);
        return std::ssize(found);
    }

    void fill(Ranking& ranking)
    {
        const auto limit = static_cast<std::size_t>(query_.limit);
        std::optional<Ranked> ranked;
        while ((ranked = ranking.next())) {
            if (result_.hits.size() == limit || bytes_ >= largest_search_page) {
                result_.next = write_search_cursor(position_, query_);
                return;
            }
            if (!query_.grouped || is_first_of_its_conversation(*ranked)) add(*ranked);
            ranking.pass(*ranked, position_);
        }
    }

    void add(const Ranked& ranked)
    {
        auto hit = ranked.is_title ? load_title_hit(db_, ranked.pk, wanted_)
                                   : load_chat_hit(db_, ranked.pk, wanted_, query_.context);
        if (!hit) return;
        hit->score = ranked.score;
        if (query_.grouped) hit->in_conversation = count_in(conversation_of(ranked));
        bytes_ += size_of(*hit);
        result_.hits.push_back(std::move(*hit));
    }

    std::int64_t conversation_of(const Ranked& ranked)
    {
        if (ranked.is_title) return ranked.pk;
        return db_.one<std::int64_t>("SELECT place >> 24 FROM chat_row WHERE pk = ?1", ranked.pk).value_or(-1);
    }

    Postings matches_in(std::int64_t conversation)
    {
        auto keys = db_.all<std::int64_t>("SELECT pk FROM chat_row WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24",
                                          conversation);
        std::sort(keys.begin(), keys.end());
        std::vector<Postings> both;
        both.push_back(match_these(std::move(keys))), both.push_back(matching_chats(db_, within_one_, 1));
        return match_all(std::move(both));
    }

    std::int64_t count_in(std::int64_t conversation) { return count(matches_in(conversation), position_.newest); }

    // By worth all pages before are gone through again; by time it is asked whether a page before showed it.
    bool is_first_of_its_conversation(const Ranked& ranked)
    {
        const std::int64_t conversation = conversation_of(ranked);
        if (!seen_.insert(conversation).second) return false;
        if (!query_.cursor || query_.sort == SearchSort::relevance) return true;
        const auto newest = matches_in(conversation)->seek(position_.newest);
        return !newest || *newest <= ranked.pk || ranked.is_title;
    }

    Reader& db_;
    const SearchQuery& query_;
    ParsedQuery parsed_;
    ParsedQuery within_one_; // the same, of a conversation that is known to be chosen
    std::vector<Phrase> wanted_;
    SearchPosition position_;
    SearchResult result_;
    std::size_t bytes_ = 0;       // of the hits
    std::set<std::int64_t> seen_; // conversations, where grouped
};

} // namespace

ParsedQuery parse_query(const SearchQuery& query)
{
    ParsedQuery parsed = parse_search_query(query.text, query.zone, query.now);
    add_options(parsed.filters, query);
    parsed.filters.visible = query.visible;
    return parsed;
}

SearchResult search(Reader& db, const SearchQuery& query)
{
    return Search(db, query).run();
}

} // namespace alli::cache
