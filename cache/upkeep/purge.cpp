// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/purge.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/db/quarantine.hpp"
#include "cache/open_files.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/purge_rows.hpp"
#include "cache/restore.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/suppression_list.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/backup.hpp"
#include "cache/upkeep/unused_bytes.hpp"
#include "cache/upkeep/vacuum.hpp"
#include "cache/webhook_state.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::int64_t step_chats = 500; // a few milliseconds

// The one that was asked for goes onto the suppression list whether the mirror has it or not.
IdSet set_of(const std::vector<ConversationId>& ids, const PurgeOptions& wish)
{
    IdSet set;
    for (const ConversationId& id : ids) set.insert(id.value);
    if (wish.conversation) set.insert(wish.conversation->value);
    return set;
}

class Purge {
  public:
    Purge(Store& store, PurgeOptions wish, PurgeHooks hooks)
        : store_(store), wish_(std::move(wish)), hooks_(std::move(hooks))
    {}

    // First the suppression list and the writes, in one commit that is synced; whatever comes after can be done again.
    Task<> note()
    {
        const auto ids = look();
        const IdSet set = set_of(ids, wish_);
        std::vector<ConversationId> named = ids;
        if (wish_.conversation) named.push_back(*wish_.conversation);
        SystemRandom random; // a secret: never from a seed
        const std::string key = random.bytes(32);
        const auto job = [&](Writer& outbox) {
            suppress(outbox, {named, wish_.user, wish_.before}, key);
            writes_ = purge_writes(outbox, wish_, set);
            drop_webhook_holds(outbox); // ids of conversations
        };
        co_await store_.write_outbox(job);
        store_.note_suppressions();
        report_.writes = std::ssize(writes_.removed);
        report_.waiting = writes_.waiting;
        hooks_.lines_changed(writes_.lines);
        const SuppressionList list = store_.read_outbox([](Reader& outbox) { return load_suppression_list(outbox); });
        version_ = list.version;
        const auto adopt = [&](Writer& mirror) {
            put_suppression_list(mirror, list); // from now on the door is shut
            for (const std::int64_t entry : writes_.removed) drop_edit(mirror, entry);
            if (wish_.user) erase_mentions(mirror, *wish_.user);
        };
        co_await store_.write(adopt);
    }

    // What came in before the door was shut is found by looking again; then nothing new can come.
    Task<> erase()
    {
        auto ids = look();
        const std::int64_t total = std::ssize(ids);
        report_.conversations = total;
        if (wish_.conversation && ids.empty()) ids.push_back(*wish_.conversation); // for what is only said of it
        for (std::size_t next = 0; next < ids.size();) {
            const auto step = [&](Writer& mirror) {
                for (std::int64_t size = 0; next < ids.size() && size < step_chats; ++next) {
                    const std::int64_t chats = erase_all_of(mirror, ids[next]);
                    report_.chats += chats;
                    size += chats + 1;
                }
            };
            co_await store_.write(step);
            go_on("rows", static_cast<std::int64_t>(next), total);
        }
        const auto finish = [&](Writer& mirror) {
            const Instant now = SystemClock().now();
            restart_feed(mirror, now); // no change may name what is gone, so readers have to compare
            note_remains(mirror, now);
            finish_suppression(mirror, version_);
        };
        co_await store_.write(finish);
    }

    // What the rows left. Where it is cut short, or a reader holds a log, it is done again (has_remains()).
    Task<> clean()
    {
        const auto erased_at = store_.read([](Reader& mirror) { return find_remains(mirror); });
        co_await clean_index();
        co_await clean_files();
        if (!erased_at || !report_.logs_emptied) co_return;
        const auto drop = [&](Writer& mirror) { drop_remains(mirror, *erased_at); };
        co_await store_.write(drop);
    }

    const PurgeReport& report() const { return report_; }

  private:
    // A cleaning that is under way knows nothing of what was removed since it began: then there is a second one.
    Task<> clean_index()
    {
        const auto extend = [](Writer& mirror) { return extend_index(mirror); };
        const auto scour = [](Writer& mirror) { return merge_deleted_terms(mirror); };
        for (bool more = true; more; go_on("index", 0, 0)) more = co_await store_.write(extend);
        for (int round = 0; round < 2; ++round)
            for (bool more = true; more; go_on("index", 0, 0)) more = co_await store_.write(scour);
    }

    // What is left in the logs, and between the cells of pages. The outbox, which cannot be made anew, is written anew
    // by SQLite itself. A page of the mirror that was changed from an old copy while a large file is gone through comes
    // to the file with the second round's checkpoint.
    Task<> clean_files()
    {
        go_on("outbox", 0, 0);
        const auto rewrite = [](Writer& outbox) { rewrite_file(outbox); };
        co_await store_.between_commits(Store::File::outbox, rewrite);
        co_await empty_log(Store::File::outbox);
        for (int round = 0; round < 2; ++round) {
            co_await empty_log(Store::File::mirror);
            co_await clear_mirror_gaps();
        }
    }

    Task<> empty_log(Store::File file)
    {
        constexpr int tries = 3; // each waits for readers as long as a busy file is waited for
        const auto empty = [](Writer& db) { return db.checkpoint(Writer::Checkpoint::truncate); };
        bool done = false;
        for (int n = 0; n < tries && !done; ++n) done = co_await store_.between_commits(file, empty);
        report_.logs_emptied = report_.logs_emptied && done;
    }

    Task<> clear_mirror_gaps()
    {
        constexpr std::int64_t pages = 16'384; // 64 MiB, a tenth of a second
        std::optional<std::int64_t> next = 0;
        const auto clear = [&](Writer& db) { next = cache::clear_unused_bytes(db, *next, pages); };
        while (next) {
            co_await store_.between_commits(Store::File::mirror, clear);
            go_on("pages", next.value_or(0), 0);
        }
    }

    std::vector<ConversationId> look() const
    {
        return store_.read([&](Reader& mirror) { return find_wanted(mirror, wish_); });
    }

    void go_on(std::string_view step, std::int64_t done, std::int64_t total)
    {
        hooks_.report(step, done, total);
        if (hooks_.stopping())
            throw Error(Fault::canceled, "it goes on at the next start", "the purge was interrupted");
    }

    Store& store_;
    PurgeOptions wish_;
    PurgeHooks hooks_;
    PurgedWrites writes_;
    std::int64_t version_ = 0;
    PurgeReport report_;
};

} // namespace

PurgeReport plan_purge(Store& store, const PurgeOptions& wish)
{
    PurgeReport plan;
    const auto ids = store.read([&](Reader& mirror) {
        auto found = find_wanted(mirror, wish);
        for (const ConversationId& id : found) plan.chats += count_chats(mirror, id);
        return found;
    });
    plan.conversations = std::ssize(ids);
    const IdSet set = set_of(ids, wish);
    const auto writes = store.read_outbox([&](Reader& outbox) { return find_writes(outbox, wish, set); });
    plan.writes = std::ssize(writes.removed);
    plan.waiting = writes.waiting;
    return plan;
}

std::vector<std::string> find_set_aside(const std::string& mirror_path)
{
    std::vector<std::string> files;
    for (const std::string& path : {mirror_path, outbox_path(mirror_path)})
        for (const char* ending : {".damaged-", ".replaced-"})
            for (std::string& file : files_beside(path, ending)) files.push_back(std::move(file));
    return files;
}

Task<PurgeReport> purge(Store& store, PurgeOptions wish, PurgeHooks hooks)
{
    remove_left_backups(store.mirror_path(), {}); // they hold it too
    abandon_restore(store.mirror_path());         // one that was killed, or waits for a word
    Purge work(store, std::move(wish), std::move(hooks));
    co_await work.note();
    co_await work.erase();
    co_await work.clean();
    co_return work.report();
}

Task<> erase_remains(Store& store, PurgeHooks hooks)
{
    remove_left_backups(store.mirror_path()); // a younger one may just be made, by a person who asked for it
    Purge work(store, {}, std::move(hooks));
    co_await work.clean();
}

bool has_remains(Store& store)
{
    return store.read([](Reader& mirror) { return find_remains(mirror); }).has_value();
}

} // namespace alli::cache
