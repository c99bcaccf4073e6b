// SPDX-License-Identifier: Apache-2.0
#include "proxy/flights.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::proxy {
namespace {

// Goes back to the loop of who waits, and keeps that loop alive until then.
template <class Handler>
std::function<void(Landing)> resume_on_its_loop(Handler handler)
{
    auto shared = std::make_shared<Handler>(std::move(handler));
    auto executor = asio::prefer(asio::get_associated_executor(*shared), asio::execution::outstanding_work.tracked);
    return [shared, executor](Landing landing) {
        asio::post(executor,
                   [shared, landed = std::move(landing)]() mutable { std::move (*shared)(std::move(landed)); });
    };
}

Task<Flights::Outcome> fly(Flights::Work work)
{
    Task<Flights::Outcome> way = work();
    co_return co_await std::move(way);
}

} // namespace

Task<Landing> Flights::share(std::string key, Work work)
{
    auto ask = [&](auto handler) {
        std::function<void(Landing)> done = resume_on_its_loop(std::move(handler));
        asio::post(loop_, [this, name = std::move(key), way = std::move(work), back = std::move(done)]() mutable {
            board(name, std::move(way), std::move(back));
        });
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Landing)>(ask, asio::use_awaitable);
}

void Flights::board(const std::string& key, Work work, Done done)
{
    auto& flight = flights_[key];
    if (flight) {
        flight->waiting.push_back(std::move(done));
        return;
    }
    flight = std::make_unique<Flight>();
    flight->waiting.push_back(std::move(done));
    auto landed = [this, key](const std::exception_ptr& failure, Outcome outcome) {
        land(key, failure, std::move(outcome));
    };
    asio::co_spawn(loop_, fly(std::move(work)), asio::bind_cancellation_slot(flight->cancel.slot(), std::move(landed)));
}

void Flights::land(const std::string& key, const std::exception_ptr& failure, Outcome outcome)
{
    const auto found = flights_.find(key);
    const std::unique_ptr<Flight> flight = std::move(found->second);
    flights_.erase(found);
    Landing landing;
    landing.failure = failure;
    landing.stored = outcome.stored;
    if (!failure) landing.reply = std::make_shared<const upstream::Reply>(std::move(outcome.reply));
    for (const Done& done : flight->waiting) {
        done(landing);
        landing.collapsed = true;
    }
}

void Flights::abort()
{
    for (const auto& [key, flight] : flights_) flight->cancel.emit(asio::cancellation_type::terminal);
}

} // namespace alli::proxy
