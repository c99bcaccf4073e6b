// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "sync/passes.hpp"
#include "sync/retry.hpp"

#include <unordered_set>

namespace alli::sync {
namespace {

// Only those without a chat are kept: the others belong to the windows, which know what they hold.
std::vector<Conversation> take_chatless(std::vector<Conversation>& page)
{
    std::vector<Conversation> chatless;
    for (Conversation& conversation : page)
        if (!conversation.last_chat_at) chatless.push_back(std::move(conversation));
    return chatless;
}

Task<upstream::Listed> next_page(Tools tools, std::optional<std::string> cursor)
{
    upstream::ListQuery query;
    query.cursor = cursor;
    std::function<Task<upstream::Listed>()> ask = [&] {
        return tools.client.list_conversations(query, upstream::Priority::reconcile);
    };
    upstream::Listed listed = co_await with_retries(tools.clock, tools.random, ask);
    if (listed.page.cursor && listed.page.cursor == cursor)
        throw Error(Fault::bad_reply, "upstream's paging is broken; the census is tried again later",
                    "a list's cursor does not advance");
    co_return listed;
}

std::vector<ConversationId> load_unseen(Tools tools, const std::unordered_set<ConversationId>& seen)
{
    auto held = tools.store.read([](cache::Reader& db) { return cache::ids_without_chat(db); });
    std::erase_if(held, [&](const ConversationId& id) { return seen.contains(id); });
    return held;
}

void note_done(cache::Writer& db, Instant started)
{
    cache::Progress progress = cache::load_progress(db);
    progress.chatless_at = started;
    cache::save_progress(db, progress);
}

} // namespace

Task<> census(Tools tools, Deletions deletions, Duties duties)
{
    const Instant started = tools.clock.now(); // it only plans the next one
    std::optional<std::string> cursor;
    std::unordered_set<ConversationId> seen;
    How how;
    how.priority = upstream::Priority::reconcile;
    do {
        const Asked asked = tools.order.ask();
        upstream::Listed listed = co_await next_page(tools, cursor);
        cursor = std::move(listed.page.cursor);
        auto chatless = take_chatless(listed.page.conversations);
        for (const Conversation& conversation : chatless) seen.insert(conversation.id);
        if (!chatless.empty()) {
            std::function<void(cache::Writer&)> nothing_more = [](cache::Writer&) {};
            const Ingested done = co_await ingest(tools, std::move(chatless), asked, how, nothing_more);
            if (duties.report) duties.report(done);
        }
        if (duties.between) co_await duties.between();
    } while (cursor);

    auto absent = load_unseen(tools, seen);
    co_await confirm_absent(tools, std::move(absent), deletions, duties.report);
    auto save = [&](cache::Writer& db) { note_done(db, started); };
    co_await tools.store.write(save);
}

} // namespace alli::sync
