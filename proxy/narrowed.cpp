// SPDX-License-Identifier: Apache-2.0
#include "proxy/narrowed.hpp"

#include "cache/chat_detail.hpp"
#include "cache/outbox/visible_outbox.hpp"
#include "proxy/endpoints/outbox.hpp"
#include "proxy/request/view.hpp"

namespace alli::proxy {
namespace {

Response about_all(ErrorFormat error_format)
{
    return problem(error_format, 403,
                   "this token sees some conversations alone, and this request is not about those alone",
                   "ask with a token that is not narrowed to an app or a user");
}

// One sentence, whether it is another's, unknown or purged.
Response not_in_view()
{
    return problem(ErrorFormat::contract_read, 404, "there is no such conversation or chat in what this token may see");
}

bool is_conversation_in_view(const Context& cx, const Request& rq, const Match& match)
{
    const ConversationId id{match.ids[0]};
    const cache::Visibility seen = view_of(rq);
    const bool reads = match.route->error_format == ErrorFormat::contract_read;
    return cx.store.read([&](cache::Reader& db) {
        return reads ? cache::is_visible(db, id, seen) : cache::is_visible_or_hidden(db, id, seen);
    });
}

bool holds_chat(const Context& cx, const Match& match)
{
    const ConversationId id{match.ids[0]};
    const ChatId chat{match.ids[1]};
    return cx.store.read([&](cache::Reader& db) { return cache::find_chat(db, id, chat).has_value(); });
}

} // namespace

std::optional<Response> refuse_narrowed(const Context& cx, const Request& rq, const Match& match)
{
    if (!is_narrowed(rq)) return std::nullopt;
    const ErrorFormat error_format = error_format_of(rq.path());
    if (!match.route) {
        const bool relayed = error_format == ErrorFormat::webapi && rq.method != "OPTIONS"; // that one is answered here
        return relayed ? std::optional(about_all(error_format)) : std::nullopt;
    }
    const Narrowed narrowed = match.route->narrowed;
    if (narrowed == Narrowed::refused) return about_all(error_format);
    if (narrowed == Narrowed::in_view) return std::nullopt;
    if (narrowed == Narrowed::by_entry)
        return is_entry_in_view(cx, match.ids[0], view_of(rq)) ? std::nullopt : std::optional(no_such_entry());
    if (!is_conversation_in_view(cx, rq, match)) return not_in_view();
    if (narrowed == Narrowed::by_chat && !holds_chat(cx, match)) return not_in_view();
    return std::nullopt;
}

} // namespace alli::proxy
