// SPDX-License-Identifier: Apache-2.0
#include "proxy/loop.hpp"

#include "alli/log.hpp"
#include "proxy/routes.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <csignal>

namespace alli::proxy {
namespace {

bool is_abort(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

// A peer that leaves while a file is sent to it is a failed write (http/response_writer.hpp).
void block_broken_pipes()
{
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

} // namespace

// This loop's share of a limit for all.
static std::size_t share(const Options& options, std::size_t all)
{
    return std::max<std::size_t>(all / static_cast<std::size_t>(std::max(options.loops, 1)), 1);
}

Loop::Loop(const Options& options, const Backend& backend, Coalescer& coalescer, BrowserSessions& browser_sessions,
           UnsupportedParameters& unsupported_parameters, Runs& runs, const Guard& guard, Meters& meters,
           const RequestMetrics& request_metrics, CacheBudget& budget)
    : options_(options), response_cache_(budget), routes_(routes(), options.operations), guard_(guard),
      max_sessions_(share(options, options.limits.connections)),
      max_sessions_a_user_(share(options, options.limits.connections_a_user)),
      exchanges_(backend.upstream.connect(io_.get_executor())),
      feed_(io_.get_executor(), backend.store, meters), context_{backend,      options_,         response_cache_,
                                                                 coalescer,    meters,           request_metrics,
                                                                 request_ids_, exchanges_.get(), exchange_breaker_,
                                                                 feed_,        browser_sessions, unsupported_parameters,
                                                                 runs,         routes_},
      work_(io_.get_executor()), timer_(io_), end_(ended_.get_future())
{}

Loop::~Loop()
{
    stop();
}

void Loop::start()
{
    thread_ = std::thread([this] {
        block_broken_pipes();
        io_.run();
        ended_.set_value();
    });
}

void Loop::take(Socket socket, Peer peer)
{
    held_.fetch_add(1, std::memory_order_relaxed);
    asio::post(io_, [this, peer, taken = std::move(socket)]() mutable {
        if (!adopt(std::move(taken), peer)) held_.fetch_sub(1, std::memory_order_relaxed);
    });
}

void Loop::adjust(const Adjustment& adjustment)
{
    asio::post(io_, [this, adjustment] {
        options_.refuse_when_key_rejected = adjustment.refuse_when_key_rejected;
        options_.max_age = adjustment.max_age;
        options_.forward_timeout = adjustment.forward_timeout;
    });
}

void Loop::drain()
{
    asio::post(io_, [this] {
        draining_ = true;
        feed_.wind_up();
        for (const auto& session : sessions_) session->drain();
        end_if_done();
    });
}

void Loop::abort()
{
    asio::post(io_, [this] {
        const auto sessions = sessions_; // a session that ends at once erases itself
        for (const auto& session : sessions) session->abort();
    });
}

void Loop::shed()
{
    asio::post(io_, [this] {
        if (const auto idle = find_idle([](const Session&) { return true; })) idle->abort();
    });
}

bool Loop::ended_by(std::chrono::steady_clock::time_point deadline)
{
    return !thread_.joinable() || end_.wait_until(deadline) == std::future_status::ready;
}

void Loop::stop()
{
    io_.stop();
    if (thread_.joinable()) thread_.join();
}

// False: it is closed instead.
bool Loop::adopt(Socket socket, Peer peer)
{
    if (draining_ && !work_.owns_work()) return false;
    const auto anyone = [](const Session&) { return true; };
    const auto same_user = [&](const Session& session) { return session.peer().user == peer.user; };
    if (sessions_.size() >= max_sessions_ && !make_room(max_sessions_, anyone)) return false;
    if (peer.user && !make_room(max_sessions_a_user_, same_user)) return false;
    const auto session = std::make_shared<Session>(std::move(socket), peer, context_, guard_);
    sessions_.insert(session);
    context_.meters.count_connection(1);
    if (draining_) session->drain();
    if (!std::exchange(ticking_, true)) tick_later();
    const auto done = [this, session](const std::exception_ptr& failure) { remove(session, failure); };
    asio::co_spawn(io_, Session::run(session), asio::bind_cancellation_slot(session->cancellation().slot(), done));
    return true;
}

template <class Belongs>
std::shared_ptr<Session> Loop::find_idle(Belongs belongs) const
{
    std::shared_ptr<Session> oldest;
    for (const auto& session : sessions_) {
        if (!belongs(*session)) continue;
        const auto since = session->waiting_since();
        if (since && (!oldest || *since < *oldest->waiting_since())) oldest = session;
    }
    return oldest;
}

// At the limit, evicts the session that has waited longest without a complete request; a session that is being served
// stays. False if evicted sessions have not finished closing: reject the connection.
template <class Belongs>
bool Loop::make_room(std::size_t most, Belongs belongs)
{
    const auto count = static_cast<std::size_t>(
        std::count_if(sessions_.begin(), sessions_.end(), [&](const auto& session) { return belongs(*session); }));
    if (count < most) return true;
    if (const auto oldest = find_idle(belongs)) oldest->abort();
    return count < 2 * most;
}

void Loop::remove(const std::shared_ptr<Session>& session, const std::exception_ptr& failure)
{
    sessions_.erase(session);
    held_.fetch_sub(1, std::memory_order_relaxed);
    context_.meters.count_connection(-1);
    if (failure && !is_abort(failure)) log_event<Event::connection_failed>(reason_of(failure));
    end_if_done();
}

void Loop::tick()
{
    const auto now = std::chrono::steady_clock::now();
    std::vector<std::shared_ptr<Session>> left;
    for (const auto& session : sessions_)
        if (!session->check(now)) left.push_back(session);
    for (const auto& session : left) session->abort(); // one that ends on the spot takes itself out
    response_cache_.trim_to_share(sessions_.empty());  // without sessions there is no next tick
    ticking_ = !sessions_.empty() && work_.owns_work();
    if (ticking_) tick_later();
}

// Only while there are sessions: an idle daemon sleeps.
void Loop::tick_later()
{
    timer_.expires_after(context_.options.limits.tick);
    timer_.async_wait([this](const boost::system::error_code& code) {
        if (!code) tick();
    });
}

void Loop::end_if_done()
{
    if (!draining_ || !sessions_.empty()) return;
    work_.reset();
    timer_.cancel();
}

} // namespace alli::proxy
