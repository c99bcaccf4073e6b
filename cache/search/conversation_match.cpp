// SPDX-License-Identifier: Apache-2.0
#include "cache/search/conversation_match.hpp"

#include "cache/chats/facts.hpp"
#include "cache/db/index_batch.hpp"
#include "cache/search/filters.hpp"
#include "cache/search/known_values.hpp"
#include "cache/search/query_executor.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();

using Meant = std::vector<std::string> (*)(Reader&, const std::string&);

std::vector<std::string> all_meant(Reader& db, Meant meant, const std::vector<std::string>& values)
{
    std::vector<std::string> all;
    for (const std::string& value : values)
        for (std::string& one : meant(db, value)) all.push_back(std::move(one));
    return all;
}

std::vector<std::string> all_folded(std::vector<std::string> values)
{
    for (std::string& value : values) value = folded(value);
    return values;
}

bool contains(const std::vector<std::string>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

ParsedQuery without_filters_of_conversations(ParsedQuery query)
{
    for (auto* names : {&query.filters.users, &query.filters.apps, &query.filters.categories, &query.filters.states,
                        &query.filters.assignees, &query.filters.channels})
        names->clear();
    query.filters.visible = {};
    return query;
}

} // namespace

ConversationMatch::ConversationMatch(Reader& db, const ParsedQuery& query)
    : db_(db), filters_(query.filters), within_(without_filters_of_conversations(query)),
      asks_chats_(!query.clauses.empty() || filters_.of_chats() || filters_.after || filters_.before),
      doubts_words_(find_index_bound(db, IndexKind::chat) || find_index_bound(db, IndexKind::conversation)),
      doubts_facts_(filters_.needs_facts() && find_fact_bound(db)), apps_(all_meant(db, &apps_meant, filters_.apps)),
      categories_(all_meant(db, &categories_meant, filters_.categories)), states_(all_folded(filters_.states)),
      assignees_(all_folded(filters_.assignees)), channels_(all_folded(filters_.channels))
{
    for (const std::string& user : filters_.users)
        (has_user_id(db, user, filters_.visible) ? user_ids_ : user_names_).push_back(user);
}

bool ConversationMatch::holds(std::int64_t conversation) const
{
    if (!is_chosen(conversation)) return false;
    if (!asks_chats_ || (doubts_words_ && !within_.clauses.empty()) || (doubts_facts_ && filters_.of_chats()))
        return true;
    return has_matching_chat(conversation) || has_matching_title(conversation);
}

bool ConversationMatch::is_chosen(std::int64_t conversation) const
{
    Rows rows = db_.query("SELECT app_id, user_id FROM conversation WHERE pk = ?1", conversation);
    if (!rows.step()) return false;
    const std::string app(rows.row().text(0)), user(rows.row().text(1));
    const Visibility& seen = filters_.visible;
    if (!seen.app.empty() && seen.app != app) return false;
    if (!seen.user.empty() && seen.user != user) return false;
    return (filters_.apps.empty() || contains(apps_, app)) &&
           (filters_.users.empty() || has_user(conversation, user)) &&
           (filters_.categories.empty() || has_category(conversation)) && has_facts(conversation);
}

// By id or, where nobody has that id, by words of the name.
bool ConversationMatch::has_user(std::int64_t conversation, std::string_view user_id) const
{
    if (doubts_words_ && !user_names_.empty()) return true;
    return contains(user_ids_, user_id) ||
           std::any_of(user_names_.begin(), user_names_.end(), [&](const std::string& name) {
               return match_user_name(db_, name)->seek(conversation) == conversation;
           });
}

bool ConversationMatch::has_category(std::int64_t conversation) const
{
    return std::any_of(categories_.begin(), categories_.end(), [&](const std::string& name) {
        return db_.exists("SELECT 1 FROM category WHERE name = ?1 AND conversation = ?2", name, conversation);
    });
}

bool ConversationMatch::has_facts(std::int64_t conversation) const
{
    if (doubts_facts_ || (states_.empty() && assignees_.empty() && channels_.empty())) return true;
    Rows rows =
        db_.query("SELECT state, assignee, channel FROM conversation_fact WHERE conversation = ?1", conversation);
    if (!rows.step()) return false;
    const Row row = rows.row();
    const auto is_one_of = [&row](const Names& wanted, int column) {
        return wanted.empty() || (!row.text(column).empty() && contains(wanted, folded(row.text(column))));
    };
    return is_one_of(states_, 0) && is_one_of(assignees_, 1) && is_one_of(channels_, 2);
}

bool ConversationMatch::has_matching_chat(std::int64_t conversation) const
{
    auto keys = db_.all<std::int64_t>("SELECT pk FROM chat_row WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24",
                                      conversation);
    if (keys.empty()) return false;
    std::sort(keys.begin(), keys.end());
    std::vector<Postings> both;
    both.push_back(match_these(std::move(keys))), both.push_back(matching_chats(db_, within_));
    return match_all(std::move(both))->seek(highest).has_value();
}

bool ConversationMatch::has_matching_title(std::int64_t conversation) const
{
    const auto titles = matching_conversations(db_, within_);
    return titles && titles->seek(conversation) == conversation;
}

} // namespace alli::cache
