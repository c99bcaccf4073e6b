// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/suppressions.hpp"

#include "alli/clock.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/suppressed_writes.hpp"
#include "cache/webhook_state.hpp"

namespace alli::cache {
namespace {

template <class F>
void change(Writer& mirror, bool noted, F work)
{
    noted ? work() : without_notes(mirror, work);
}

Task<PurgedWrites> erase_writes(Store& store)
{
    const NamedInOutbox named = store.read_outbox([](Reader& outbox) { return find_named(outbox); });
    const auto known = store.read([&](Reader& mirror) { return find_known(mirror, named.conversations); });
    PurgedWrites writes;
    const auto purge = [&](Writer& outbox) {
        writes = purge_suppressed_writes(outbox, known, named.users);
        drop_webhook_holds(outbox); // ids of conversations
    };
    co_await store.write_outbox(purge);
    co_return writes;
}

// Where others publish: they may not know of it.
void erase(Writer& mirror, const std::vector<ConversationId>& ids, bool noted, ErasedBySuppression& erased)
{
    for (const ConversationId& id : ids) {
        erase_all_of(mirror, id);
        if (!noted) note_purged(mirror, id);
    }
    erased.conversations += std::ssize(ids);
}

} // namespace

Task<bool> adopt_suppressions(Store& store, SuppressionList list, bool noted)
{
    const auto merge = [&](Writer& outbox) { merge_suppression_list(outbox, list); };
    co_await store.write_outbox(merge);
    store.note_suppressions();
    const SuppressionList whole = store.read_outbox([](Reader& outbox) { return load_suppression_list(outbox); });
    const auto adopt = [&](Writer& mirror) { change(mirror, noted, [&] { put_suppression_list(mirror, whole); }); };
    co_await store.write(adopt);
    co_return store.read([](Reader& mirror) { return suppression_version(mirror); }) != whole.version;
}

Task<ErasedBySuppression> erase_suppressed(Store& store, bool noted)
{
    ErasedBySuppression erased;
    const std::int64_t version = store.read_outbox([](Reader& outbox) { return suppression_version(outbox); });
    PurgedWrites writes = co_await erase_writes(store);
    erased.lines = std::move(writes.lines);
    const auto begin = [&](Writer& mirror) {
        change(mirror, noted, [&] {
            for (const std::int64_t entry : writes.removed) drop_edit(mirror, entry);
            erase(mirror, find_suppressed_hidden(mirror), noted, erased);
        });
    };
    co_await store.write(begin);
    std::optional<std::int64_t> from = 0;
    const auto step = [&](Writer& mirror) {
        const SuppressedRows found = find_suppressed_rows(mirror, *from);
        change(mirror, noted, [&] { erase(mirror, found.ids, noted, erased); });
        from = found.next;
    };
    while (from) co_await store.write(step);
    const auto finish = [&](Writer& mirror) {
        const Instant now = SystemClock().now();
        if (erased.conversations > 0) restart_feed(mirror, now); // no change may name what is gone
        note_remains(mirror, now);
        put_suppression_version(mirror, version);
    };
    co_await store.write(finish);
    co_return erased;
}

} // namespace alli::cache
