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

PostgresOutbox::PostgresOutbox(TruthLoop& loop, Member self)
    : loop_(loop), self_(std::move(self)),
      accepting_(
          loop.writes, self_.node, [&loop] { return make_nonce(loop.random); }, [&loop] { loop.tell_news_soon(); }),
      beginning_(loop.begins, self_, [&loop] { return make_nonce(loop.random); })
{}

Task<Accepted> PostgresOutbox::accept(cache::NewWrite write, cache::OutboxLimits limits)
{
    return loop_.on_loop(accepting_.accept(std::move(write), limits));
}

// Nobody waits to hear that a write is being sent.
Task<std::optional<cache::SharedWrite>> PostgresOutbox::begin(std::int64_t epoch, KnownWrite known,
                                                              std::optional<std::string> over)
{
    WantedBeginning wanted{std::move(known), std::move(over)};
    return loop_.on_loop(beginning_.begin(epoch, std::move(wanted)));
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
