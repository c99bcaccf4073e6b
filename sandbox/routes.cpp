// SPDX-License-Identifier: Apache-2.0
#include "sandbox/routes.hpp"

#include "http/target.hpp"

#include <algorithm>
#include <array>

namespace alli::sandbox {
namespace {

constexpr bool single = true; // the answer is about one thing

// A literal path stands before a pattern that it would match too. Update and title take whatever method a client
// guesses. Whether an app runs is asked of the place where it runs, which does not lag.
constexpr auto routes = std::to_array<Route>({
    {"listConversations", "GET", "/webapi/v2/conversations", &list_conversations},
    {"bulkUpdateConversations", "POST", "/webapi/v2/conversations/bulk_update", &bulk_update_conversations},
    {"dailyConversationCount", "GET", "/webapi/v2/conversations/daily_count", &count_conversations_daily},
    {"getConversation", "GET", "/webapi/v2/conversations/{}", &get_conversation, single},
    {"updateConversation", "PUT PATCH POST", "/webapi/v2/conversations/{}", &update_conversation, single},
    {"deleteConversation", "DELETE", "/webapi/v2/conversations/{}", &delete_conversation},
    {"listChats", "GET", "/webapi/v2/conversations/{}/chats", &list_chats},
    {"getChat", "GET", "/webapi/v2/conversations/{}/chats/{}", &get_chat, single},
    {"rateChat", "POST", "/webapi/v2/conversations/{}/chats/{}/feedback", &rate_chat, single},
    {"isConversationRunning", "GET", "/webapi/v2/conversations/{}/running", &is_running, single, false},
    {"stopConversation", "POST", "/webapi/v2/conversations/{}/stop", &stop_conversation},
    {"setConversationTitle", "PUT PATCH POST", "/webapi/v2/conversations/{}/title", &set_title, single},
    {"listCategories", "GET", "/webapi/v2/conversation_categories", &list_categories},
    {"createCategory", "POST", "/webapi/v2/conversation_categories", &create_category, single},
    {"deleteCategory", "DELETE", "/webapi/v2/conversation_categories/{}", &delete_category},
    {"listProjects", "GET", "/webapi/v2/projects", &list_projects},
    {"listApps", "GET", "/webapi/apps", &list_apps},
    {"listAppsByPage", "GET", "/webapi/v2/apps", &list_apps_by_page},
    {"getApp", "GET", "/webapi/v2/apps/{}", &get_app},
    {"listHashtags", "GET", "/webapi/v2/hashtags", &list_hashtags},
    {"listKnowledgeBases", "GET", "/webapi/v2/knowledge_bases", &list_knowledge_bases},
    {"getKnowledgeBase", "GET", "/webapi/v2/knowledge_bases/{}", &get_knowledge_base},
    {"runApp", "POST", "/webapi/apps/{}/run", &run_app},
    {"runConversation", "POST", "/webapi/v2/apps/{}/run_conversation", &run_conversation},
    {"generativeAnswer", "POST", "/webapi/v2/apps/{}/generative_answer", &generate_answer},
});

std::string_view next_segment(std::string_view& rest)
{
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    return segment;
}

// The ids of `path` when it has the form of `pattern`; segments are cut before they are decoded.
bool fits(std::string_view pattern, std::string_view path, std::vector<std::string>& ids)
{
    ids.clear();
    while (pattern.starts_with('/') && path.starts_with('/')) {
        const std::string_view wanted = next_segment(pattern), given = next_segment(path);
        if (wanted != "{}") {
            if (wanted != given) return false;
            continue;
        }
        auto id = http::percent_decoded(given);
        if (!id || id->empty()) return false;
        ids.push_back(std::move(*id));
    }
    return pattern.empty() && path.empty();
}

bool takes(const Route& route, std::string_view method)
{
    std::string_view rest = route.methods;
    while (!rest.empty()) {
        const std::string_view one = rest.substr(0, rest.find(' '));
        if (one == method) return true;
        rest.remove_prefix(std::min(one.size() + 1, rest.size()));
    }
    return false;
}

} // namespace

Match match_route(std::string_view method, std::string_view path)
{
    if (method == "HEAD") method = "GET"; // the server leaves the body out
    Match match;
    std::string_view pattern; // the first that fits decides
    for (const Route& route : routes) {
        if (pattern.empty() && fits(route.path, path, match.ids)) pattern = route.path;
        if (pattern.empty() || route.path != pattern) continue;
        match.kind = Match::Kind::wrong_method;
        if (!takes(route, method)) continue;
        match.kind = Match::Kind::found;
        match.route = &route;
        return match;
    }
    return match;
}

bool is_operation(std::string_view name)
{
    return std::any_of(routes.begin(), routes.end(), [&](const Route& route) { return route.operation == name; });
}

} // namespace alli::sandbox
