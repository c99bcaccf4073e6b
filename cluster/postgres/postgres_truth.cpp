// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/postgres_truth.hpp"

#include "cluster/postgres/asked.hpp"
#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/nonce.hpp"
#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/rounds.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <memory>
#include <pthread.h>
#include <thread>

namespace alli::cluster {
namespace {

SessionOptions session_options(const PostgresOptions& options, bool listens)
{
    SessionOptions made;
    made.targets = read_url(options.url, options.password);
    made.schema = options.schema;
    made.listens = listens;
    made.patience = options.patience;
    made.look_up = options.look_up;
    return made;
}

} // namespace

struct PostgresTruth::Loop {
    explicit Loop(const PostgresOptions& options)
        : lease(loop, session_options(options, false)), rows(loop, session_options(options, false)),
          news(loop, session_options(options, true)), thread([this] {
              pthread_setname_np(pthread_self(), "cluster");
              loop.run();
          })
    {}

    // The calls' coroutines end by themselves, each on the loop; only then does it have no work.
    ~Loop()
    {
        asio::post(loop, [this] {
            for (Session* const session : {&lease, &rows, &news}) session->close();
            work.reset();
        });
        thread.join();
    }
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    Task<Position> publish(Publisher by, cache::PublishedRows published)
    {
        Position position = co_await publish_rows(rows, std::move(by), std::move(published), make_nonce(random));
        co_await tell_news(rows);
        co_return position;
    }

    Task<> suppress(std::vector<Suppressed> added)
    {
        if (added.empty()) co_return;
        co_await suppress_rows(rows, std::move(added), make_nonce(random));
        co_await tell_news(rows);
    }

    Task<Position> note_run(Run run)
    {
        Position position = co_await cluster::note_run(lease, std::move(run), make_nonce(random));
        co_await tell_news(lease); // not behind a batch: an app waits for it
        co_return position;
    }

    Task<> ask_refresh(std::vector<std::string> conversations, std::string node)
    {
        std::sort(conversations.begin(), conversations.end()); // one statement cannot put a row twice
        conversations.erase(std::unique(conversations.begin(), conversations.end()), conversations.end());
        if (conversations.empty()) co_return;
        co_await cluster::ask_refresh(rows, std::move(conversations), std::move(node), make_nonce(random));
        co_await tell_news(rows);
    }

    Task<> settle(Publisher by, std::vector<Run> runs, std::vector<Refresh> refreshes)
    {
        co_await cluster::settle(rows, std::move(by), std::move(runs), std::move(refreshes), make_nonce(random));
        co_await tell_news(rows);
    }

    // It is written: that the news could not be told must not look as if it were not. Who waits, polls as well.
    Task<> tell_news(Session& session)
    {
        try {
            co_await notify_news(session);
        } catch (const Error&) {
        }
    }

    asio::io_context loop{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
    SystemRandom random;
    Session lease, rows, news;
    std::thread thread;
};

PostgresTruth::PostgresTruth(PostgresOptions options) : self_(options.self), loop_(std::make_unique<Loop>(options)) {}

PostgresTruth::~PostgresTruth() = default;

template <class T>
struct Completion {
    using Signature = void(std::exception_ptr, T);
};
template <>
struct Completion<void> {
    using Signature = void(std::exception_ptr);
};

// Each loop touches its own side alone: a cancellation is posted to the call's loop, which emits a signal that lives
// for as long as the call; the end is posted to the caller's. Bound directly, the call's signal would lie in the
// caller's slot, where the end of the one races with the other.
template <class T>
Task<T> PostgresTruth::on_loop(Task<T> task)
{
    asio::io_context& loop = loop_->loop;
    const auto initiate = [&loop](auto handler, Task<T> its_task) {
        const auto signal = std::make_shared<asio::cancellation_signal>();
        if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
            slot.assign([signal, &loop](asio::cancellation_type type) {
                asio::post(loop, [signal, type] { signal->emit(type); });
            });
        auto done = [signal, work = asio::make_work_guard(handler),
                     handler = std::move(handler)](auto... results) mutable {
            const auto back = work.get_executor();
            asio::post(back, [handler = std::move(handler), ... results = std::move(results)]() mutable {
                std::move(handler)(std::move(results)...);
            });
        };
        asio::co_spawn(loop, std::move(its_task), asio::bind_cancellation_slot(signal->slot(), std::move(done)));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, typename Completion<T>::Signature>(
        initiate, asio::use_awaitable, std::move(task));
}

Task<Head> PostgresTruth::head()
{
    return on_loop(read_head(loop_->lease));
}

Task<std::optional<std::int64_t>> PostgresTruth::campaign(std::int64_t epoch, std::int64_t beat)
{
    return on_loop(cluster::campaign(loop_->lease, self_, epoch, beat));
}

Task<Beat> PostgresTruth::beat(std::int64_t epoch, Position mine)
{
    return on_loop(send_beat(loop_->lease, self_, epoch, std::move(mine)));
}

Task<> PostgresTruth::resign(std::int64_t epoch)
{
    return on_loop(cluster::resign(loop_->lease, self_, epoch));
}

Task<Position> PostgresTruth::publish(std::int64_t epoch, cache::PublishedRows rows)
{
    return publish_after({}, epoch, std::move(rows));
}

Task<Position> PostgresTruth::publish_after(Position mine, std::int64_t epoch, cache::PublishedRows rows)
{
    Publisher by{self_, epoch, std::move(mine)};
    return on_loop(loop_->publish(std::move(by), std::move(rows)));
}

Task<Round> PostgresTruth::read(Position after, std::size_t limit)
{
    return on_loop(read_round(loop_->rows, std::move(after), limit));
}

Task<Chunk> PostgresTruth::read_all(std::string after, std::size_t limit)
{
    return on_loop(read_chunk(loop_->rows, std::move(after), limit));
}

Task<cache::PublishedRows> PostgresTruth::find(std::vector<ConversationId> ids)
{
    return on_loop(find_rows(loop_->rows, std::move(ids)));
}

Task<std::vector<cache::PublishedState>> PostgresTruth::state(std::vector<std::string> names)
{
    return on_loop(read_state(loop_->rows, std::move(names)));
}

Task<std::vector<Suppressed>> PostgresTruth::suppressions()
{
    return on_loop(read_suppressions(loop_->rows));
}

Task<> PostgresTruth::suppress(std::vector<Suppressed> added)
{
    return on_loop(loop_->suppress(std::move(added)));
}

Task<Round> PostgresTruth::hear(Position after)
{
    return on_loop(hear_asked(loop_->rows, std::move(after)));
}

Task<Position> PostgresTruth::note_run(std::string conversation, RunState state)
{
    return on_loop(loop_->note_run({std::move(conversation), self_.node, state, 0}));
}

Task<> PostgresTruth::ask_refresh(std::vector<std::string> conversations)
{
    return on_loop(loop_->ask_refresh(std::move(conversations), self_.node));
}

Task<> PostgresTruth::settle(std::int64_t epoch, std::vector<Run> runs, std::vector<Refresh> refreshes)
{
    Publisher by{self_, epoch, {}};
    return on_loop(loop_->settle(std::move(by), std::move(runs), std::move(refreshes)));
}

Task<> PostgresTruth::announce(NodeRow row)
{
    return on_loop(cluster::announce(loop_->lease, self_, std::move(row)));
}

Task<std::vector<NodeRow>> PostgresTruth::nodes()
{
    return on_loop(list_nodes(loop_->lease));
}

Task<bool> PostgresTruth::wait_news(std::chrono::milliseconds longest)
{
    return on_loop(loop_->news.wait_notification(longest));
}

} // namespace alli::cluster
