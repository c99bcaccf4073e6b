// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/postgres_outbox.hpp"

#include "cluster/postgres/nonce.hpp"

namespace alli::cluster {
namespace {

/// On the loop: a change with a nonce of its own, which others hear of soon.
template <class T, class... Given, class... Args>
Task<T> change_and_tell(TruthLoop& loop, Task<T> (*function)(Session&, Given...), Args... args)
{
    std::string nonce = make_nonce(loop.random);
    Task<T> work = function(loop.writes, std::move(args)..., std::move(nonce));
    if constexpr (std::is_void_v<T>) {
        co_await std::move(work);
        loop.tell_news_soon();
    } else {
        T result = co_await std::move(work);
        loop.tell_news_soon();
        co_return result;
    }
}

} // namespace

template <class T, class... Given, class... Args>
Task<T> PostgresOutbox::change(Task<T> (*function)(Session&, Given...), Args... args)
{
    return loop_.on_loop(change_and_tell(loop_, function, std::move(args)...));
}

// The row that all nodes need is locked while they are on their way.
bool PostgresOutbox::fit_together(const std::vector<WantedWrite>& taken, const WantedWrite& next)
{
    constexpr std::size_t most_writes = 50, most_bytes = std::size_t{256} << 10;
    std::size_t bytes = next.write.entry.body.size();
    for (const WantedWrite& one : taken) bytes += one.write.entry.body.size();
    return taken.size() < most_writes && bytes <= most_bytes;
}

// Those of one epoch, for the fence is the transaction's; and what it returns has their bodies.
bool PostgresOutbox::begin_together(const std::vector<EpochBeginning>& taken, const EpochBeginning& next)
{
    constexpr std::size_t most_at_once = 20;
    return taken.size() < most_at_once && taken.front().epoch == next.epoch;
}

Task<std::vector<AcceptResult>> PostgresOutbox::accept_all(TruthLoop& loop, std::string node,
                                                           std::vector<WantedWrite> wanted)
{
    auto results = co_await accept_writes(loop.writes, std::move(node), std::move(wanted), make_nonce(loop.random));
    loop.tell_news_soon();
    co_return results;
}

Task<std::vector<std::optional<cache::SharedWrite>>> PostgresOutbox::begin_all(TruthLoop& loop, Member self,
                                                                               std::vector<EpochBeginning> wanted)
{
    Publisher by{std::move(self), wanted.front().epoch, {}};
    std::vector<WantedBeginning> all;
    for (EpochBeginning& one : wanted) all.push_back(std::move(one.wanted));
    return begin_writes(loop.begins, std::move(by), std::move(all), make_nonce(loop.random));
}

PostgresOutbox::PostgresOutbox(TruthLoop& loop, Member self)
    : loop_(loop), self_(std::move(self)),
      accepting_(&fit_together,
                 [this](std::vector<WantedWrite> wanted) { return accept_all(loop_, self_.node, std::move(wanted)); }),
      beginning_(&begin_together,
                 [this](std::vector<EpochBeginning> wanted) { return begin_all(loop_, self_, std::move(wanted)); })
{}

Task<Accepted> PostgresOutbox::accept_in(AcceptQueue& queue, WantedWrite wanted)
{
    AcceptResult result = co_await queue.run(std::move(wanted));
    co_return accepted_or_throw(std::move(result));
}

Task<Accepted> PostgresOutbox::accept(cache::NewWrite write, cache::OutboxLimits limits)
{
    WantedWrite wanted{std::move(write), limits};
    return loop_.on_loop(accept_in(accepting_, std::move(wanted)));
}

// Nobody waits to hear that a write is being sent.
Task<std::optional<cache::SharedWrite>> PostgresOutbox::begin(std::int64_t epoch, KnownWrite known,
                                                              std::optional<std::string> over)
{
    EpochBeginning wanted{epoch, {std::move(known), std::move(over)}};
    return loop_.on_loop(beginning_.run(std::move(wanted)));
}

Task<std::optional<cache::SharedWrite>> PostgresOutbox::settle(std::int64_t epoch, KnownWrite known,
                                                               cache::WriteOutcome outcome)
{
    return change(&settle_write, Publisher{self_, epoch, {}}, std::move(known), std::move(outcome));
}

Task<std::vector<cache::SharedWrite>> PostgresOutbox::recover(std::int64_t epoch)
{
    return change(&recover_writes, Publisher{self_, epoch, {}});
}

Task<> PostgresOutbox::release(std::int64_t epoch)
{
    return change(&release_writes, Publisher{self_, epoch, {}});
}

Task<std::int64_t> PostgresOutbox::forget(std::int64_t epoch, std::chrono::seconds age)
{
    return change(&forget_writes, Publisher{self_, epoch, {}}, age);
}

Task<WriteAction> PostgresOutbox::retry(std::int64_t id)
{
    return change(&retry_write, id);
}

Task<WriteAction> PostgresOutbox::discard(std::int64_t id)
{
    return change(&discard_write, id);
}

Task<> PostgresOutbox::note_told(std::int64_t id, std::int64_t number)
{
    return change(&cluster::note_told, KnownWrite{id, number, {}});
}

Task<> PostgresOutbox::purge(std::vector<cache::ErasedWrite> writes)
{
    return change(&purge_writes, std::move(writes));
}

Task<WriteChanges> PostgresOutbox::changes(Position after, std::size_t limit)
{
    return loop_.on_loop(read_write_changes(loop_.writes, std::move(after), limit));
}

Task<WriteChunk> PostgresOutbox::read_all(std::int64_t after_id, std::size_t limit)
{
    return loop_.on_loop(read_write_chunk(loop_.writes, after_id, limit));
}

Task<std::optional<cache::SharedWrite>> PostgresOutbox::find(std::int64_t id)
{
    return loop_.on_loop(find_write(loop_.writes, id));
}

Task<WriteCounts> PostgresOutbox::count()
{
    return loop_.on_loop(count_writes(loop_.writes));
}

Task<std::vector<cache::SharedWrite>> PostgresOutbox::hand_over(std::vector<cache::SharedWrite> held, std::string why)
{
    return change(&hand_over_writes, std::move(held), std::move(why));
}

} // namespace alli::cluster
