// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/accept_queue.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace alli::cluster {
namespace {

// Of a transaction: the row that all nodes need is locked while they are on their way.
constexpr std::size_t most_writes = 50, most_bytes = std::size_t{256} << 10;

} // namespace

struct AcceptQueue::Request {
    Request(const asio::any_io_executor& loop, WantedWrite its_wanted)
        : wanted(std::move(its_wanted)), answered(loop, asio::steady_timer::time_point::max())
    {}

    WantedWrite wanted;
    asio::steady_timer answered; // never expires: its cancel() wakes who waits
    bool is_answered = false;
    std::exception_ptr failed;
    AcceptResult result;
};

// Who is canceled does not wait for the answer: whether it was accepted is not known then.
Task<Accepted> AcceptQueue::accept(cache::NewWrite write, cache::OutboxLimits limits)
{
    const asio::any_io_executor loop = co_await asio::this_coro::executor;
    const auto request = std::make_shared<Request>(loop, WantedWrite{std::move(write), limits});
    waiting_.push_back(request);
    if (!std::exchange(running_, true)) asio::co_spawn(loop, run(), asio::detached);
    boost::system::error_code woken;
    if (!request->is_answered) co_await request->answered.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!request->is_answered) throw boost::system::system_error(asio::error::operation_aborted);
    if (request->failed) std::rethrow_exception(request->failed);
    co_return accepted_or_throw(std::move(request->result));
}

std::vector<std::shared_ptr<AcceptQueue::Request>> AcceptQueue::take_some()
{
    std::vector<std::shared_ptr<Request>> taken;
    for (std::size_t bytes = 0; !waiting_.empty() && taken.size() < most_writes;) {
        bytes += waiting_.front()->wanted.write.entry.body.size();
        if (!taken.empty() && bytes > most_bytes) break;
        taken.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    return taken;
}

Task<> AcceptQueue::run()
{
    while (!waiting_.empty()) co_await run_once();
    running_ = false;
}

// All of them fail with a transaction that fails: each is asked for again by whoever wants it.
Task<> AcceptQueue::run_once()
{
    const std::vector<std::shared_ptr<Request>> taken = take_some();
    std::vector<WantedWrite> wanted;
    for (const auto& request : taken) wanted.push_back(std::move(request->wanted));
    std::exception_ptr failed;
    std::vector<AcceptResult> results(taken.size());
    try {
        results = co_await accept_writes(session_, node_, std::move(wanted), nonce_());
        told_();
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

} // namespace alli::cluster
