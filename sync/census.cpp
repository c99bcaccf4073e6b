// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "sync/passes.hpp"
#include "sync/retry.hpp"

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

} // namespace

Task<> census(Tools tools, Report report)
{
    std::optional<std::string> cursor;
    std::optional<Instant> started;
    do {
        upstream::ListQuery query;
        query.cursor = cursor;
        std::function<Task<upstream::Listed>()> ask = [&] {
            return tools.client.list_conversations(query, upstream::Priority::reconcile);
        };
        upstream::Listed listed = co_await with_retries(tools.clock, tools.random, ask);
        if (!started) started = tools.clock.now(); // it only plans the next one
        if (listed.page.cursor && listed.page.cursor == cursor)
            throw Error(Fault::bad_reply, "upstream's paging is broken; the census is tried again later",
                        "a list's cursor does not advance");
        cursor = std::move(listed.page.cursor);
        auto save = [&](cache::Writer& db) {
            if (cursor) return;
            cache::Progress progress = cache::load_progress(db);
            progress.chatless_at = started;
            cache::save_progress(db, progress);
        };
        std::function<void(cache::Writer&)> also = save;
        auto chatless = take_chatless(listed.page.conversations);
        if (chatless.empty() && cursor) continue;
        const Ingested done =
            co_await ingest(tools, std::move(chatless), Source::list, upstream::Priority::reconcile, also);
        report(done);
    } while (cursor);
}

Task<> refresh(Tools tools, std::vector<ConversationId> ids, Report report)
{
    for (const ConversationId& id : ids) {
        std::function<Task<std::optional<Conversation>>()> ask = [&] {
            return tools.client.find_conversation(id, upstream::Priority::increment);
        };
        auto found = co_await with_retries(tools.clock, tools.random, ask);
        if (found) {
            std::vector<Conversation> one;
            one.push_back(std::move(*found));
            std::function<void(cache::Writer&)> nothing_more = [](cache::Writer&) {};
            report(co_await ingest(tools, std::move(one), Source::single, upstream::Priority::increment, nothing_more));
            continue;
        }
        auto erase = [&](cache::Writer& db) {
            cache::IndexBatch index;
            cache::erase_conversation(db, index, id);
            index.flush(db);
        };
        co_await tools.store.write(erase);
    }
}

} // namespace alli::sync
