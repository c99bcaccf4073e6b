// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/begin_queue.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace alli::cluster {
namespace {

constexpr std::size_t most_at_once = 20; // of a transaction: what it returns has their bodies

} // namespace

struct BeginQueue::Request {
    Request(const asio::any_io_executor& loop, std::int64_t its_epoch, WantedBeginning its_wanted)
        : epoch(its_epoch), wanted(std::move(its_wanted)), answered(loop, asio::steady_timer::time_point::max())
    {}

    std::int64_t epoch;
    WantedBeginning wanted;
    asio::steady_timer answered; // never expires: its cancel() wakes who waits
    bool is_answered = false;
    std::exception_ptr failed;
    std::optional<cache::SharedWrite> row;
};

// Whoever is canceled does not wait for the answer: it may have been begun then.
Task<std::optional<cache::SharedWrite>> BeginQueue::begin(std::int64_t epoch, WantedBeginning wanted)
{
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    const auto request = std::make_shared<Request>(loop, epoch, std::move(wanted));
    waiting_.push_back(request);
    if (!std::exchange(running_, true)) asio::co_spawn(loop, run(), asio::detached);
    boost::system::error_code woken;
    if (!request->is_answered) co_await request->answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!request->is_answered) throw boost::system::system_error(asio::error::operation_aborted);
    if (request->failed) std::rethrow_exception(request->failed);
    co_return std::move(request->row);
}

// Those of one epoch: the fence is the transaction's.
std::vector<std::shared_ptr<BeginQueue::Request>> BeginQueue::take_some()
{
    std::vector<std::shared_ptr<Request>> taken;
    const std::int64_t epoch = waiting_.front()->epoch;
    while (!waiting_.empty() && taken.size() < most_at_once && waiting_.front()->epoch == epoch) {
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return taken;
}

Task<> BeginQueue::run()
{
    while (!waiting_.empty()) co_await run_once();
    running_ = false;
}

// All of them fail with a transaction that fails: each is asked for again by whoever wants it.
Task<> BeginQueue::run_once()
{
    const std::vector<std::shared_ptr<Request>> taken = take_some();
    std::vector<WantedBeginning> wanted;
    for (const auto& request : taken) wanted.push_back(std::move(request->wanted));
    Publisher by{self_, taken.front()->epoch, {}};
    std::exception_ptr failed;
    std::vector<std::optional<cache::SharedWrite>> rows(taken.size());
    try {
        rows = co_await begin_writes(session_, std::move(by), std::move(wanted), nonce_());
    } catch (...) {
        failed = std::current_exception();
    }
    for (std::size_t at = 0; at < taken.size(); ++at) {
        taken[at]->failed = failed;
        taken[at]->row = std::move(rows[at]);
        taken[at]->is_answered = true;
        taken[at]->answered.cancel();
    }
}

} // namespace alli::cluster
