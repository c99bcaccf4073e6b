// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/postgres_truth.hpp"

#include "cluster/postgres/asked.hpp"
#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/nonce.hpp"
#include "cluster/postgres/postgres_outbox.hpp"
#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/rounds.hpp"
#include "cluster/postgres/truth_loop.hpp"

#include <algorithm>

namespace alli::cluster {
namespace {

// On the loop: what is written, and then told.

Task<> lift_and_tell(TruthLoop& loop, std::int64_t above)
{
    co_await lift_numbers(loop.lease, above, make_nonce(loop.random));
    co_await loop.tell_news(loop.lease);
}

Task<Position> publish_and_tell(TruthLoop& loop, Publisher by, cache::PublishedRows published)
{
    Position position = co_await publish_rows(loop.rows, std::move(by), std::move(published), make_nonce(loop.random));
    co_await loop.tell_news(loop.rows);
    co_return position;
}

Task<> suppress_and_tell(TruthLoop& loop, std::vector<Suppressed> added)
{
    if (added.empty()) co_return;
    co_await suppress_rows(loop.rows, std::move(added), make_nonce(loop.random));
    co_await loop.tell_news(loop.rows);
}

Task<Position> note_run_and_tell(TruthLoop& loop, Run run)
{
    Position position = co_await note_run(loop.lease, std::move(run), make_nonce(loop.random));
    co_await loop.tell_news(loop.lease); // not behind a batch: an app waits for it
    co_return position;
}

Task<> ask_refresh_and_tell(TruthLoop& loop, std::vector<std::string> conversations, std::string node)
{
    std::sort(conversations.begin(), conversations.end()); // one statement cannot put a row twice
    conversations.erase(std::unique(conversations.begin(), conversations.end()), conversations.end());
    if (conversations.empty()) co_return;
    co_await ask_refresh(loop.rows, std::move(conversations), std::move(node), make_nonce(loop.random));
    co_await loop.tell_news(loop.rows);
}

Task<> settle_and_tell(TruthLoop& loop, Publisher by, std::vector<Run> runs, std::vector<Refresh> refreshes)
{
    co_await settle(loop.rows, std::move(by), std::move(runs), std::move(refreshes), make_nonce(loop.random));
    co_await loop.tell_news(loop.rows);
}

} // namespace

PostgresTruth::PostgresTruth(PostgresOptions options) : self_(options.self), loop_(std::make_unique<TruthLoop>(options))
{
    outbox_ = std::make_unique<PostgresOutbox>(*loop_, self_);
}

PostgresTruth::~PostgresTruth() = default;

SharedOutbox& PostgresTruth::outbox() noexcept
{
    return *outbox_;
}

Task<Head> PostgresTruth::head()
{
    return loop_->on_loop(read_head(loop_->lease));
}

Task<std::optional<std::int64_t>> PostgresTruth::campaign(std::int64_t epoch, std::int64_t beat)
{
    return loop_->on_loop(cluster::campaign(loop_->lease, self_, epoch, beat));
}

Task<> PostgresTruth::lift(std::int64_t above)
{
    return loop_->on_loop(lift_and_tell(*loop_, above));
}

Task<Beat> PostgresTruth::beat(std::int64_t epoch, Position mine)
{
    return loop_->on_loop(send_beat(loop_->lease, self_, epoch, std::move(mine)));
}

Task<> PostgresTruth::resign(std::int64_t epoch)
{
    return loop_->on_loop(cluster::resign(loop_->lease, self_, epoch));
}

Task<Position> PostgresTruth::publish(std::int64_t epoch, cache::PublishedRows rows)
{
    return publish_after({}, epoch, std::move(rows));
}

Task<Position> PostgresTruth::publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows)
{
    Publisher by{self_, epoch, std::move(mine)};
    return loop_->on_loop(publish_and_tell(*loop_, std::move(by), std::move(rows)));
}

Task<Round> PostgresTruth::read(Position after, std::size_t limit)
{
    return loop_->on_loop(read_round(loop_->rows, std::move(after), limit));
}

Task<Chunk> PostgresTruth::read_all(std::string after, std::size_t limit)
{
    return loop_->on_loop(read_chunk(loop_->rows, std::move(after), limit));
}

Task<cache::PublishedRows> PostgresTruth::find(std::vector<ConversationId> ids)
{
    return loop_->on_loop(find_rows(loop_->rows, std::move(ids)));
}

Task<std::vector<cache::PublishedState>> PostgresTruth::state(std::vector<std::string> names)
{
    return loop_->on_loop(read_state(loop_->rows, std::move(names)));
}

Task<std::vector<Suppressed>> PostgresTruth::suppressions()
{
    return loop_->on_loop(read_suppressions(loop_->rows));
}

Task<> PostgresTruth::suppress(std::vector<Suppressed> added)
{
    return loop_->on_loop(suppress_and_tell(*loop_, std::move(added)));
}

Task<Round> PostgresTruth::hear(Position after)
{
    return loop_->on_loop(hear_asked(loop_->rows, std::move(after)));
}

Task<Position> PostgresTruth::note_run(std::string conversation, RunState state)
{
    return loop_->on_loop(note_run_and_tell(*loop_, {std::move(conversation), self_.node, state, 0}));
}

Task<> PostgresTruth::ask_refresh(std::vector<std::string> conversations)
{
    return loop_->on_loop(ask_refresh_and_tell(*loop_, std::move(conversations), self_.node));
}

Task<> PostgresTruth::settle(std::int64_t epoch, std::vector<Run> runs, std::vector<Refresh> refreshes)
{
    Publisher by{self_, epoch, {}};
    return loop_->on_loop(settle_and_tell(*loop_, std::move(by), std::move(runs), std::move(refreshes)));
}

Task<> PostgresTruth::announce(NodeRow row)
{
    return loop_->on_loop(cluster::announce(loop_->lease, self_, std::move(row)));
}

Task<std::vector<NodeRow>> PostgresTruth::nodes()
{
    return loop_->on_loop(list_nodes(loop_->lease));
}

Task<bool> PostgresTruth::wait_news(std::chrono::milliseconds longest)
{
    return loop_->on_loop(loop_->news.wait_notification(longest));
}

} // namespace alli::cluster
