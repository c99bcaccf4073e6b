// SPDX-License-Identifier: Apache-2.0
#include "sync/ingest.hpp"

#include "sync/parallel.hpp"
#include "sync/retry.hpp"

namespace alli::sync {
namespace {

Missing look_up(cache::Store& store, const Conversation& listed)
{
    return store.read([&](cache::Reader& db) {
        const auto held = cache::find_held(db, listed.id);
        const auto tail = held ? cache::chat_ids_from(db, listed.id, tail_start(listed)) : std::vector<ChatId>();
        return find_missing(listed, held, tail);
    });
}

// One conversation made whole; asked again as a whole when an answer could not be had or read.
Task<> complete(Tools tools, Conversation listed, upstream::Priority priority, std::optional<Update>* result)
{
    const Missing missing = look_up(tools.store, listed);
    std::function<Task<std::optional<Update>>()> ask = [&] {
        return catch_up(tools.client, listed, missing, priority);
    };
    *result = co_await with_retries(tools.clock, tools.random, ask);
}

void put(cache::Writer& db, cache::IndexBatch& index, const Update& update, Ingested& done)
{
    const ConversationId& id = update.conversation.id;
    bool changed = cache::put_conversation(db, index, update.conversation);
    std::int64_t chats = 0;
    for (const ChatRun& run : update.runs) chats += cache::put_chats(db, index, id, run.first_ordinal, run.chats);
    if (update.cut_from) changed |= cache::cut_chats(db, index, id, *update.cut_from);
    done.conversations += changed || chats > 0 ? 1 : 0;
    done.chats += chats;
}

// How many chats a list item carries is told by no document: the most that was seen is how we serve them.
void note_embedding(cache::Writer& db, int most)
{
    cache::Progress progress = cache::load_progress(db);
    if (progress.list_embeds.value_or(-1) >= most) return;
    progress.list_embeds = most;
    cache::save_progress(db, progress);
}

} // namespace

Task<Ingested> ingest(Tools tools, std::vector<Conversation> listed, Source source, upstream::Priority priority,
                      std::function<void(cache::Writer&)> also)
{
    std::vector<std::optional<Update>> updates(listed.size());
    int most_embedded = -1;
    for (const Conversation& conversation : listed)
        if (source == Source::list && conversation.chats_at)
            most_embedded = std::max(most_embedded, static_cast<int>(conversation.chats.size()));

    std::function<Task<>(std::size_t)> one = [&](std::size_t i) {
        return complete(tools, std::move(listed[i]), priority, &updates[i]);
    };
    co_await in_parallel(listed.size(), tools.max_parallel, one);

    Ingested done;
    auto put_all = [&](cache::Writer& db) {
        cache::IndexBatch index;
        for (const auto& update : updates)
            if (update) put(db, index, *update, done);
        index.flush(db);
        if (most_embedded >= 0) note_embedding(db, most_embedded);
        also(db);
    };
    co_await tools.store.write(put_all);
    co_return done;
}

} // namespace alli::sync
