// SPDX-License-Identifier: Apache-2.0
#include "proxy/narrowed.hpp"

#include "cache/detail.hpp"
#include "cache/visible_outbox.hpp"
#include "proxy/cached.hpp"
#include "proxy/outbox.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

/// What a route is for a narrowed principal.
enum class Access {
    filtered,     // its handler shows what is in view alone, or nothing of the mirror
    conversation, // likewise, once its {id} is known to be in view
    chat,         // and its {chat} to be of that conversation: upstream may look at the chat's id alone
    entry,        // its {id} is a write's, of a conversation in view
};

struct Rule {
    std::string_view operation;
    Access access;
};
constexpr auto rules = std::to_array<Rule>({
    {"listConversations", Access::filtered},
    {"dailyConversationCount", Access::filtered},
    {"getConversation", Access::conversation},
    {"listChats", Access::conversation},
    {"getChat", Access::conversation},
    {"listCategories", Access::filtered}, // the project's own, not a conversation's
    {"isConversationRunning", Access::conversation},
    {"updateConversation", Access::conversation},
    {"deleteConversation", Access::conversation},
    {"rateChat", Access::chat},
    {"stopConversation", Access::conversation},
    {"setConversationTitle", Access::conversation},
    {"status", Access::filtered},
    {"outbox", Access::filtered},
    {"outboxEntry", Access::entry},
    {"discard", Access::entry},
    {"retry", Access::entry},
    {"search", Access::filtered},
    {"highlight", Access::filtered},
    {"changes", Access::filtered},
    {"page", Access::filtered},
    {"asset", Access::filtered},
    {"makeLink", Access::filtered}, // its session has the same part
    {"enter", Access::filtered},
    {"signOut", Access::filtered},
    {"principal", Access::filtered}, // who asks
    {"live", Access::filtered},
    {"ready", Access::filtered},
});

const Rule* find_rule(const Route& route)
{
    const auto* found =
        std::find_if(rules.begin(), rules.end(), [&](const Rule& rule) { return rule.operation == route.operation; });
    return found == rules.end() ? nullptr : found;
}

Response about_all(Surface surface)
{
    return problem(surface, 403, "this token sees some conversations alone, and this request is not about those alone",
                   "ask with a token that is not narrowed to an app or a user");
}

// One sentence, whether it is another's, unknown or purged.
Response not_in_view()
{
    return problem(Surface::contract_read, 404, "there is no such conversation or chat in what this token may see");
}

bool is_conversation_in_view(const Context& cx, const Request& rq, const Match& match)
{
    const ConversationId id{match.ids[0]};
    const cache::Visibility seen = view_of(rq);
    const bool reads = match.route->surface == Surface::contract_read;
    return cx.needs.store.read([&](cache::Reader& db) {
        return reads ? cache::is_visible(db, id, seen) : cache::is_visible_or_hidden(db, id, seen);
    });
}

bool holds_chat(const Context& cx, const Match& match)
{
    const ConversationId id{match.ids[0]};
    const ChatId chat{match.ids[1]};
    return cx.needs.store.read([&](cache::Reader& db) { return cache::find_chat(db, id, chat).has_value(); });
}

} // namespace

cache::Visibility view_of(const Request& rq)
{
    return {rq.part().app, rq.part().user};
}

std::optional<Response> refuse_narrowed(const Context& cx, const Request& rq, const Match& match)
{
    if (!is_narrowed(rq)) return std::nullopt;
    const Surface surface = surface_of(rq.path());
    if (!match.route) {
        const bool relayed = surface == Surface::webapi && rq.method != "OPTIONS"; // that one is answered here
        return relayed ? std::optional(about_all(surface)) : std::nullopt;
    }
    const Rule* rule = find_rule(*match.route);
    if (rule == nullptr) return about_all(surface);
    if (rule->access == Access::filtered) return std::nullopt;
    if (rule->access == Access::entry)
        return is_entry_in_view(cx, match.ids[0], view_of(rq)) ? std::nullopt : std::optional(no_such_entry());
    if (!is_conversation_in_view(cx, rq, match)) return not_in_view();
    if (rule->access == Access::chat && !holds_chat(cx, match)) return not_in_view();
    return std::nullopt;
}

Read only_in_view(const Request& rq, const Read& read)
{
    Read narrowed = read;
    narrowed.find = [&rq, &read](cache::Reader& db, bool part) -> std::optional<Found> {
        if (read.of && !cache::is_visible(db, *read.of, view_of(rq))) return std::nullopt;
        return read.find(db, part);
    };
    return narrowed;
}

void require_whole_view(const Request& rq)
{
    if (is_narrowed(rq)) throw Refused({504, mirror_alone});
}

} // namespace alli::proxy
