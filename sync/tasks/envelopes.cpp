// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/envelopes.hpp"

#include "cache/lists/summaries.hpp"
#include "cache/rows/envelopes.hpp"

namespace alli::sync {
namespace {

constexpr std::string_view key = "envelope";
constexpr auto priority = upstream::Priority::increment; // a poll waits for it

cache::Problem problem_of(Instant now)
{
    cache::Problem problem;
    problem.what = "upstream wraps its answers in {\"result\": ...}, which the contract does not show: they are read "
                   "through it, and served so";
    problem.hint = "nothing has to be done; apps written for that service get what they expect";
    problem.since = now;
    return problem;
}

} // namespace

// What was heard is written down by whoever called.
Task<> Envelopes::look()
{
    const auto newest = context_.store.read([](cache::Reader& db) -> std::optional<ConversationId> {
        const bool known = cache::find_envelope(db, Content::conversation) && cache::find_envelope(db, Content::chats);
        const auto first = known ? std::vector<cache::Summary>() : cache::list_summaries(db, 1, 0);
        if (first.empty()) return std::nullopt;
        return ConversationId{first.front().id};
    });
    if (!newest) co_return;
    looked_ = true;
    co_await context_.client.find_conversation(*newest, priority);
    co_await context_.client.list_chats(*newest, 1, priority);
}

Task<> Envelopes::put_down()
{
    const auto heard = std::exchange(heard_, {});
    const auto put = [&](cache::Writer& db) {
        bool changed = false, any = false;
        for (const auto& [content, envelope] : heard) changed = cache::note_envelope(db, content, envelope) || changed;
        if (!changed) return;
        for (const Content content : {Content::list, Content::conversation, Content::chats, Content::chat}) {
            const auto known = cache::find_envelope(db, content);
            any = any || (known && !known->is_none());
        }
        if (any)
            cache::put_problem(db, key, problem_of(context_.clock.now()));
        else
            cache::clear_problem(db, key);
    };
    co_await context_.store.write(put);
}

Task<> Envelopes::note()
{
    if (!looked_) co_await look();
    if (!heard_.empty()) co_await put_down();
}

} // namespace alli::sync
