// SPDX-License-Identifier: Apache-2.0
// The thread and the loop of a PostgresTruth, with its connections: `lease` and `writes` never wait for rows, `begins`
// for nothing else, `news` waits for others. Its members but on_loop() are used on that loop alone.
#pragma once

#include "alli/random.hpp"
#include "alli/task.hpp"
#include "cluster/postgres/postgres_options.hpp"
#include "cluster/postgres/session.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <thread>

namespace alli::cluster {

class TruthLoop {
  public:
    explicit TruthLoop(const PostgresOptions& options);
    /// Calls that are on their way end with an exception.
    ~TruthLoop();
    TruthLoop(const TruthLoop&) = delete;
    TruthLoop& operator=(const TruthLoop&) = delete;

    /// Runs it there; awaited on any loop, which goes on with the result. May be canceled.
    template <class T>
    Task<T> on_loop(Task<T> task);

    /// Others are woken before it returns. It is written: that the news could not be told must not look as if it were
    /// not. Who waits, polls as well.
    Task<> tell_news(Session& session);
    /// Others are woken soon, and at once for all that is written meanwhile.
    void tell_news_soon();

  private:
    Task<> tell_all_news();

    asio::io_context loop_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
    bool telling_ = false, has_news_ = false;

  public:
    SystemRandom random;
    Session lease, rows, writes, begins, news;

  private:
    std::thread thread_;
};

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
Task<T> TruthLoop::on_loop(Task<T> task)
{
    const auto initiate = [&loop = loop_](auto handler, Task<T> its_task) {
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

} // namespace alli::cluster
