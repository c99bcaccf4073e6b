// SPDX-License-Identifier: Apache-2.0
#include "sandbox/filter.hpp"

#include "sandbox/encoding.hpp"

#include <algorithm>

namespace alli::sandbox {
namespace {

std::optional<Instant> read_bound(const Query& query, std::string_view name, const TimeScale& scale)
{
    const auto text = query.find(name);
    if (!text || text->empty()) return std::nullopt;
    const auto bound = scale.read(*text);
    if (!bound) bad_parameter("{} must be a number", name);
    return bound;
}

std::optional<std::string> named(std::optional<std::string> value)
{
    return value && value->empty() ? std::nullopt : value;
}

bool has_user(const Conversation& conversation, const std::vector<std::string>& users)
{
    if (conversation.user == nullptr || !conversation.user->id) return false;
    return std::find(users.begin(), users.end(), *conversation.user->id) != users.end();
}

bool has_category(const Conversation& conversation, const std::string& category)
{
    const auto& all = conversation.categories;
    return std::find(all.begin(), all.end(), category) != all.end();
}

} // namespace

bool Window::holds(std::optional<Instant> at) const
{
    if (open()) return true;
    return at && !too_early(*at) && !too_late(*at);
}

Filter::Filter(const Query& query, const TimeScale& scale, bool inclusive)
    : users(query.all("userIds")), app(named(query.find("llmAppId"))), category(named(query.find("categoryId"))),
      term(folded(query.find("searchTerm").value_or(""))), active_only(query.boolean("activeOnly").value_or(false)),
      running(query.boolean("backgroundRunning")), last_chat{read_bound(query, "startedAt", scale),
                                                             read_bound(query, "endAt", scale), inclusive},
      first_chat{read_bound(query, "firstChatStartedAt", scale), read_bound(query, "firstChatEndAt", scale), inclusive}
{}

bool Filter::only_by_last_chat() const
{
    return users.empty() && !app && !category && term.empty() && !active_only && !running && first_chat.open();
}

bool Filter::matches(const Conversation& c) const
{
    if (!last_chat.holds(c.last_chat_at()) || !first_chat.holds(c.first_chat_at())) return false;
    if (active_only && c.is_end) return false;
    if (running && *running != c.running) return false;
    if (!users.empty() && !has_user(c, users)) return false;
    if (app && (c.app == nullptr || c.app->id != *app)) return false;
    if (category && !has_category(c, *category)) return false;
    return term.empty() || c.searched.find(term) != std::string::npos;
}

} // namespace alli::sandbox
