// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/resolver.hpp"

#include "cluster/libpq/server_error.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <netdb.h>
#include <utility>

namespace alli::cluster {
namespace {

constexpr std::size_t most_addresses = 8; // each costs a while where it does not answer

bool needs_no_look_up(const std::string& host)
{
    if (host.empty() || host.front() == '/' || host.front() == '@') return true;
    boost::system::error_code no_address;
    asio::ip::make_address(host, no_address);
    return !no_address;
}

} // namespace

std::vector<std::string> look_up_addresses(const std::string& host)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    if (const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw); code != 0)
        throw connect_error(host, ::gai_strerror(code));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(raw, ::freeaddrinfo);
    std::vector<std::string> addresses;
    for (const addrinfo* one = all.get(); one && addresses.size() < most_addresses; one = one->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            addresses.emplace_back(text);
    }
    if (addresses.empty()) throw connect_error(host, "it has no address");
    return addresses;
}

struct Resolver::Waiting {
    Waiting(const asio::any_io_executor& executor, std::chrono::milliseconds patience) : ended(executor, patience) {}
    asio::steady_timer ended; // canceled at the end of it
    std::vector<std::string> found;
    std::exception_ptr failure;
    bool is_done = false;
};

Resolver::Resolver(LookUp look_up) : look_up_(std::move(look_up)) {}

Resolver::~Resolver()
{
    if (thread_) thread_->join();
}

Task<std::vector<std::string>> Resolver::find(std::string host, std::chrono::milliseconds patience)
{
    if (needs_no_look_up(host)) co_return std::vector<std::string>();
    if (!thread_) thread_.emplace(1);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto waiting = std::make_shared<Waiting>(executor, patience);
    waiting_ = waiting;
    asio::post(*thread_, [waiting, executor, host, look_up = look_up_] {
        std::vector<std::string> found;
        std::exception_ptr failure;
        try {
            found = look_up(host);
        } catch (...) {
            failure = std::current_exception();
        }
        asio::post(executor, [waiting, found = std::move(found), failure]() mutable {
            waiting->found = std::move(found);
            waiting->failure = failure;
            waiting->is_done = true;
            waiting->ended.cancel();
        });
    });
    boost::system::error_code woken;
    co_await waiting->ended.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (!waiting->is_done && woken) throw boost::system::system_error(asio::error::operation_aborted);
    if (!waiting->is_done) throw connect_error(host, "its name was not found in time");
    if (waiting->failure) std::rethrow_exception(waiting->failure);
    co_return std::move(waiting->found);
}

void Resolver::cancel()
{
    if (const auto waiting = waiting_.lock()) waiting->ended.cancel();
}

} // namespace alli::cluster
