// SPDX-License-Identifier: Apache-2.0
#include "proxy/server.hpp"

#include "alli/error.hpp"
#include "proxy/listener.hpp"
#include "proxy/loop.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/relay/conversation_sniffer.hpp"
#include "proxy/relay/runs.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <list>

namespace alli::proxy {
namespace {

constexpr std::chrono::milliseconds accept_pause{100}; // when descriptors ran out, instead of a busy loop
constexpr std::chrono::milliseconds crowd_pause{2};    // for evicted sessions to close
constexpr int pauses_to_shed = 10;                     // in a row: then an idle session is evicted
constexpr std::chrono::milliseconds last_wait{1000};   // for cancelled work to end

// The address for browsers: the first that is not a Unix socket, by an allowed host name.
std::string page_address(const std::list<Listener>& listeners, const Options& options)
{
    for (const Listener& listener : listeners) {
        if (listener.peer.local_socket) continue;
        const std::string& address = listener.address;
        const std::string host = address.substr(0, address.rfind(':'));
        const auto& allowed = options.allowed_hosts;
        if (std::find(allowed.begin(), allowed.end(), host) != allowed.end()) return address;
        if (allowed.empty()) return "";
        const std::string& name = allowed.front();
        const bool own_port = name.find(':', name.starts_with('[') ? name.find(']') : 0) != name.npos;
        return own_port ? name : name + address.substr(address.rfind(':'));
    }
    return "";
}

} // namespace

struct Server::Core {
    Core(Options given, Backend given_backend);

    static Task<> accept(Core& core, Listener& listener);
    void stop();
    void probe(std::size_t from, std::function<void()> alive);
    void end(std::unique_ptr<Loop>& loop, std::chrono::steady_clock::time_point deadline);
    void close_listeners();
    Loop* find_loop() // round robin; null: none has room
    {
        for (std::size_t tried = 0; tried < loops.size(); ++tried)
            if (Loop* loop = loops[turn++ % loops.size()].get(); loop && loop->has_room()) return loop;
        return nullptr;
    }
    void look_again()
    {
        for (Loop* loop : all) loop->look_again();
    }
    void shed()
    {
        for (const auto& loop : loops)
            if (loop) loop->shed();
    }

    Options options;
    Backend backend;
    BrowserSessions browser_sessions;
    Guard guard{options, &browser_sessions};
    Coalescer coalescer;
    UnsupportedParameters unsupported_parameters;
    Runs runs;
    CacheBudget budget{options.limits.answer_bytes, options.loops}; // outlives the loops, which give back
    RequestMetrics request_metrics{static_cast<std::size_t>(std::max(options.loops, 1)), guard};
    std::vector<std::unique_ptr<Loop>> loops; // the first accepts, and runs coalesced requests
    std::vector<Loop*> all;                   // including those abandoned while stopping
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> hold; // the first loop ends last
    std::list<Listener> listeners;
    std::size_t turn = 0; // of the loops, on the first one
    bool stopped = false;
};

Server::Core::Core(Options given, Backend given_backend) : options(std::move(given)), backend(given_backend)
{
    const auto count = static_cast<std::size_t>(std::max(options.loops, 1));
    for (std::size_t i = 0; i < count; ++i)
        loops.push_back(std::make_unique<Loop>(options, backend, coalescer, browser_sessions, unsupported_parameters,
                                               runs, guard, request_metrics.of(i), request_metrics, budget));
    for (const auto& loop : loops) all.push_back(loop.get());
    hold.emplace(loops.front()->io().get_executor());
    coalescer.set_executor(loops.front()->executor());
    try {
        for (const int socket : options.passed)
            listeners.push_back(adopt_listener(loops.front()->io(), socket, options));
        if (!options.passed.empty()) options.listen.clear();
        for (const std::string& address : options.listen)
            listeners.push_back(listen_on(loops.front()->io(), address, options));
    } catch (...) {
        for (Listener& listener : listeners) close(listener); // no socket file stays behind
        throw;
    }
    browser_sessions.set_address(page_address(listeners, options));
    browser_sessions.when_ended([this] { look_again(); });
    for (Listener& listener : listeners) asio::co_spawn(loops.front()->io(), accept(*this, listener), asio::detached);
    for (const auto& loop : loops) loop->start();
    backend.store.watch([this] {
        for (const auto& loop : loops) loop->committed();
    });
}

Task<> Server::Core::accept(Core& core, Listener& listener)
{
    asio::steady_timer pause(listener.acceptor.get_executor());
    int pauses = 0;
    const bool tcp = !listener.peer.local_socket;
    while (listener.acceptor.is_open()) {
        boost::system::error_code code;
        Loop* const found = core.find_loop();
        if (found == nullptr) { // the newest waits in the system's queue rather than being turned away
            pause.expires_after(crowd_pause);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
            continue;
        }
        Loop& loop = *found;
        const asio::any_io_executor executor = loop.executor();
        Socket socket =
            co_await listener.acceptor.async_accept(executor, asio::redirect_error(asio::use_awaitable, code));
        if (!code) {
            pauses = 0;
            if (tcp) socket.set_option(asio::ip::tcp::no_delay(true), code);
            const Peer peer = identify(listener, socket.native_handle());
            loop.take(std::move(socket), peer);
        } else if (listener.acceptor.is_open()) {
            if (++pauses % pauses_to_shed == 0) core.shed();
            pause.expires_after(accept_pause);
            co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
        }
    }
}

void Server::Core::close_listeners()
{
    for (Listener& listener : listeners) close(listener);
}

void Server::Core::stop()
{
    if (std::exchange(stopped, true)) return;
    backend.store.watch({});
    // A connection that was accepted before gets to its loop before the drain does.
    asio::post(all.front()->io(), [this] {
        close_listeners();
        asio::post(all.front()->io(), [this] {
            for (Loop* loop : all) loop->drain();
        });
    });
    const auto deadline = std::chrono::steady_clock::now() + options.limits.drain;
    for (std::size_t i = loops.size(); i-- > 1;) end(loops[i], deadline);
    hold.reset();
    end(loops.front(), deadline);
}

// One loop after the other; the first one holds the others together and ends last.
void Server::Core::probe(std::size_t from, std::function<void()> alive)
{
    if (from == loops.size()) return alive();
    Loop* loop = loops[from].get();
    if (!loop) return; // abandoned while stopping
    asio::post(loop->io(), [this, from, alive = std::move(alive)] { probe(from + 1, alive); });
}

void Server::Core::end(std::unique_ptr<Loop>& loop, std::chrono::steady_clock::time_point deadline)
{
    if (!loop->ended_by(deadline)) {
        loop->abort();
        asio::post(loops.front()->io(), [this] { coalescer.abort(); });
        // A relay that ignores its cancellation may still come back to this loop: it must find one.
        if (!loop->ended_by(std::chrono::steady_clock::now() + last_wait)) {
            loop->stop();
            static_cast<void>(loop.release());
            return;
        }
    }
    loop->stop();
}

Server::Server(Options options, Backend backend) : core_(std::make_unique<Core>(std::move(options), backend)) {}

Server::~Server()
{
    stop();
}

void Server::fetched(const ConversationId& id, std::uint64_t fence, bool whole)
{
    core_->runs.fetched(id, fence, whole, core_->backend.clock.steady());
}

void Server::run_elsewhere(const ConversationId& id)
{
    note_run_elsewhere(core_->backend, core_->runs, id);
}

std::uint64_t Server::end_elsewhere(const ConversationId& id)
{
    return note_end_elsewhere(core_->backend, core_->runs, id);
}

std::optional<bool> Server::is_fetched(const ConversationId& id, std::uint64_t fence) const
{
    return core_->runs.is_fetched(id, fence, core_->backend.clock.steady());
}

std::vector<UnsupportedParameters::Count> Server::unsupported_parameters() const
{
    return core_->unsupported_parameters.find_frequent(core_->backend.clock.now());
}

std::vector<std::string> Server::addresses() const
{
    std::vector<std::string> addresses;
    for (const Listener& listener : core_->listeners) addresses.push_back(listener.address);
    return addresses;
}

void Server::probe(std::function<void()> alive)
{
    core_->probe(0, std::move(alive));
}

void Server::set_keys(const std::vector<Token>& tokens)
{
    core_->guard.set_keys(core_->options.api_key, tokens);
    core_->look_again();
}

void Server::adjust(const Adjustment& adjustment)
{
    set_keys(adjustment.tokens);
    for (const auto& loop : core_->loops)
        if (loop) loop->adjust(adjustment);
}

void Server::stop()
{
    core_->stop();
}

} // namespace alli::proxy
