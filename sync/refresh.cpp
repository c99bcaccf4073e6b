// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "cache/drift.hpp"
#include "cache/ledger.hpp"
#include "sync/mutant.hpp"
#include "sync/passes.hpp"
#include "sync/retry.hpp"

namespace alli::sync {
namespace {

bool was_purged(Tools tools, const ConversationId& id)
{
    return tools.store.keeps_ledger() && tools.store.read([&](cache::Reader& db) { return cache::is_purged(db, id); });
}

Task<std::optional<Conversation>> find(Tools tools, ConversationId id, upstream::Priority priority)
{
    std::function<Task<std::optional<Conversation>>()> ask = [&] {
        return tools.client.find_conversation(id, priority);
    };
    co_return co_await with_retries(tools.clock, tools.random, ask);
}

void note_suspects(cache::Writer& db, Instant now)
{
    constexpr std::string_view key = "mass deletion";
    const auto suspects = cache::count_suspects(db);
    if (suspects == 0) {
        cache::clear_problem(db, key);
        return;
    }
    cache::Problem problem;
    problem.what = fmt::format("upstream says that {} mirrored conversations do not exist; they are kept", suspects);
    problem.hint = "if they were deleted there, say so: alli-mirror sync --accept-deletions; "
                   "if not, see whether the API key is that of another project";
    problem.since = now;
    cache::put_problem(db, key, problem);
}

Task<> put_whole(Tools tools, Conversation found, Asked asked, How how, Report report)
{
    std::vector<Conversation> one;
    one.push_back(std::move(found));
    const ConversationId id = one.front().id;
    std::function<void(cache::Writer&)> also = [&](cache::Writer& db) {
        if (cache::clear_suspect(db, id)) note_suspects(db, tools.clock.now());
    };
    const Ingested done = co_await ingest(tools, std::move(one), std::move(asked), how, also);
    if (report) report(done);
}

void remove(cache::Writer& db, Turn turn, const ConversationId& id, Instant now)
{
    turn.note(db, id);
    cache::IndexBatch index;
    cache::mark_deleted(db, index, id, now);
    index.flush(db);
    cache::clear_problem(db, cache::problem_key(id)); // it is nobody's any more
}

// Many at once look like an upstream in trouble, or like another project.
bool may_delete(cache::Writer& db, const ConversationId& id, Deletions deletions)
{
    if (deletions.accepted) return true;
    if (cache::is_suspect(db, id)) return false;
    const cache::Progress progress = cache::load_progress(db);
    const std::int64_t tenth = cache::count_totals(db).conversations / 10;
    return progress.sweep_deleted < std::max<std::int64_t>(deletions.most, tenth);
}

// Nobody needs to ask a hundred thousand times what a hundred answers said.
void refuse_endless(Tools tools)
{
    constexpr std::int64_t enough = 100;
    const auto suspects = tools.store.read([](cache::Reader& db) { return cache::count_suspects(db); });
    if (suspects >= enough)
        throw Error(Fault::bad_reply, "see the problem \"upstream says that ... do not exist\"",
                    "upstream lacks so many conversations that the comparison was stopped");
}

// Where a problem of its own stands, upstream is asked again later.
void keep(cache::Writer& db, Random& random, const ConversationId& id, Instant now)
{
    cache::suspect(db, id, now);
    if (!cache::find_problem(db, cache::problem_key(id))) return;
    const Error why(Fault::refused, "see the problem \"upstream says that ... do not exist\"",
                    "upstream says that it does not exist");
    note_unreadable(db, random, id, why, now);
}

// Upstream says that it does not exist. What is not held (purged, or deleted through the mirror itself) is nothing to
// lose. True when something was deleted.
bool settle_absent(cache::Writer& db, const Tools& tools, Turn turn, const ConversationId& id, Deletions deletions)
{
    if (turn.is_outrun(db, id)) return false;
    const Instant now = tools.clock.now();
    const bool held = cache::find_held(db, id).has_value();
    const bool deleted = held && may_delete(db, id, deletions);
    if (held && !deleted) {
        keep(db, tools.random, id, now);
    } else {
        remove(db, turn, id, now);
        cache::Progress progress = cache::load_progress(db);
        progress.sweep_deleted += deleted ? 1 : 0;
        cache::save_progress(db, progress);
    }
    note_suspects(db, now);
    return deleted;
}

// A comparison found what no clock told.
void note_drift(cache::Writer& db)
{
    cache::Drift drift;
    drift.deleted = 1;
    cache::add_drift(db, drift);
}

} // namespace

Task<> refresh(Tools tools, std::vector<ConversationId> ids, Report report)
{
    How how;
    how.source = Source::single;
    how.priority = upstream::Priority::increment;
    how.depth = Depth::all;
    for (const ConversationId& id : ids) {
        if (was_purged(tools, id)) continue;
        const Asked asked = tools.order.ask();
        auto found = co_await find(tools, id, how.priority);
        if (found) {
            co_await put_whole(tools, std::move(*found), asked, how, report);
            continue;
        }
        const Turn turn = asked->turn();
        const Deletions careful; // whoever asks about one may ask about thousands
        auto gone = [&](cache::Writer& db) { settle_absent(db, tools, turn, id, careful); };
        co_await tools.store.write(gone);
    }
}

Task<> confirm_absent(Tools tools, std::vector<ConversationId> ids, Deletions deletions, Report report)
{
    How how;
    how.source = Source::single;
    how.priority = upstream::Priority::reconcile;
    how.depth = Depth::all;
    how.audit = true;
    for (const ConversationId& id : ids) {
        if (was_purged(tools, id)) continue;
        if (!deletions.accepted) refuse_endless(tools);
        const Asked asked = tools.order.ask();
        std::optional<Conversation> found;
        if (!is_planted(Mutant::absence_is_deletion)) found = co_await find(tools, id, how.priority);
        if (found) {
            co_await put_whole(tools, std::move(*found), asked, how, report);
            continue;
        }
        const Turn turn = asked->turn();
        auto gone = [&](cache::Writer& db) {
            if (settle_absent(db, tools, turn, id, deletions)) note_drift(db);
        };
        co_await tools.store.write(gone);
    }
    auto look = [&](cache::Writer& db) { note_suspects(db, tools.clock.now()); };
    if (!ids.empty()) co_await tools.store.write(look);
}

Task<> read_growing(Tools tools, std::vector<cache::Growing> growing, Report report)
{
    constexpr std::int64_t page_size = 100;
    for (const cache::Growing& it : growing) {
        const int page = static_cast<int>((it.chats - 1) / page_size) + 1;
        std::function<Task<std::optional<std::vector<Chat>>>()> ask = [&] {
            return tools.client.list_chats(it.id, page, upstream::Priority::increment);
        };
        const Asked asked = tools.order.ask();
        auto chats = co_await with_retries(tools.clock, tools.random, ask);
        if (!chats) continue; // gone: the next comparison says so
        Ingested done;
        const Turn turn = asked->turn();
        auto put = [&](cache::Writer& db) {
            if (turn.is_outrun(db, it.id)) return;
            cache::IndexBatch index;
            done.chats = cache::put_chats(db, index, it.id, (page - 1) * page_size, *chats);
            index.flush(db);
        };
        co_await tools.store.write(put);
        if (report) report(done);
    }
}

} // namespace alli::sync
