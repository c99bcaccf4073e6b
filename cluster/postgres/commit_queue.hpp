// SPDX-License-Identifier: Apache-2.0
// Gathers what is wanted while a transaction is on its way: the next one takes all of it that fits together, so that
// many share a commit, and a wait for its standby. On the cluster's loop.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace alli::cluster {

template <class Wanted, class Result>
class CommitQueue {
  public:
    /// Whether the next one goes into a transaction with those that are taken; the first always does.
    using Fits = std::function<bool(const std::vector<Wanted>& taken, const Wanted& next)>;
    /// One transaction: a result for each, in their order.
    using Commit = std::function<Task<std::vector<Result>>(std::vector<Wanted>)>;

    CommitQueue(Fits fits, Commit commit) : fits_(std::move(fits)), commit_(std::move(commit)) {}

    /// Throws what its transaction threw: all of them fail with it, and each is asked for again by whoever wants it.
    /// Who is canceled does not wait for the answer: what became of it is not known then.
    Task<Result> run(Wanted wanted)
    {
        const asio::any_io_executor loop = co_await asio::this_coro::executor;
        const auto request = std::make_shared<Request>(loop, std::move(wanted));
        waiting_.push_back(request);
        if (!std::exchange(running_, true)) asio::co_spawn(loop, commit_all(), asio::detached);
        boost::system::error_code woken;
        if (!request->is_answered)
            co_await request->answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        if (!request->is_answered) throw boost::system::system_error(asio::error::operation_aborted);
        if (request->failed) std::rethrow_exception(request->failed);
        co_return std::move(request->result);
    }

  private:
    struct Request {
        Request(const asio::any_io_executor& loop, Wanted its_wanted)
            : wanted(std::move(its_wanted)), answered(loop, asio::steady_timer::time_point::max())
        {}

        Wanted wanted;
        asio::steady_timer answered; // never expires: its cancel() wakes who waits
        bool is_answered = false;
        std::exception_ptr failed;
        Result result;
    };

    Task<> commit_all()
    {
        while (!waiting_.empty()) co_await commit_some();
        running_ = false;
    }

    Task<> commit_some()
    {
        std::vector<std::shared_ptr<Request>> taken;
        std::vector<Wanted> wanted;
        while (!waiting_.empty() && (wanted.empty() || fits_(wanted, waiting_.front()->wanted))) {
            taken.push_back(std::move(waiting_.front()));
            waiting_.pop_front();
            wanted.push_back(std::move(taken.back()->wanted));
        }
        std::exception_ptr failed;
        std::vector<Result> results(taken.size());
        try {
            results = co_await commit_(std::move(wanted));
        } catch (...) {
            failed = std::current_exception();
        }
        for (std::size_t at = 0; at < taken.size(); ++at) {
            taken[at]->failed = failed;
            taken[at]->result = std::move(results[at]);
            taken[at]->is_answered = true;
            taken[at]->answered.cancel();
        }
    }

    Fits fits_;
    Commit commit_;
    std::deque<std::shared_ptr<Request>> waiting_;
    bool running_ = false;
};

} // namespace alli::cluster
