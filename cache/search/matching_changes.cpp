// SPDX-License-Identifier: Apache-2.0
#include "cache/search/matching_changes.hpp"

#include "cache/search/conversation_match.hpp"
#include "cache/search/search.hpp"

#include <unordered_map>

namespace alli::cache {
namespace {

constexpr int looked_at_once = 1000;

/// A conversation has several changes: it is looked at once.
class ChangeMatch {
  public:
    ChangeMatch(Reader& db, const ParsedQuery& query) : db_(db), match_(db, query) {}

    bool holds(const Change& change)
    {
        if (change.conversation.value.empty() || change.kind == name_of(ChangeKind::deleted)) return true;
        const auto [known, is_new] = known_.try_emplace(change.conversation.value);
        if (is_new) known->second = holds(change.conversation);
        return known->second;
    }

  private:
    bool holds(const ConversationId& id)
    {
        const auto pk = db_.one<std::int64_t>("SELECT pk FROM conversation WHERE id = ?1", id.value);
        return !pk || match_.holds(*pk);
    }

    Reader& db_;
    ConversationMatch match_;
    std::unordered_map<std::string, bool> known_; // by id
};

} // namespace

MatchingChanges load_matching_changes(Reader& db, const SearchQuery& query, std::int64_t since, int limit)
{
    const auto all = load_visible_changes(db, query.visible, since, looked_at_once);
    MatchingChanges found{{}, since, std::ssize(all) == looked_at_once};
    ChangeMatch match(db, parse_query(query));
    for (const Change& change : all) {
        if (std::ssize(found.changes) == limit) {
            found.more = true;
            break;
        }
        found.through = change.seq;
        if (match.holds(change)) found.changes.push_back(change);
    }
    return found;
}

} // namespace alli::cache
