// SPDX-License-Identifier: Apache-2.0
// Coroutines that ask a Pace for permits on a clock that stands still until a test moves it.
#pragma once

#include "alli/error.hpp"
#include "tests/support/fake_clock.hpp"
#include "upstream/rate_limiter.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

#include <list>
#include <optional>
#include <vector>

namespace upstream_test {

using namespace alli;
using namespace alli::upstream;

inline RateLimiter::Options limits(double requests_per_second, int max_in_flight)
{
    RateLimiter::Options options;
    options.requests_per_second = requests_per_second;
    options.max_in_flight = max_in_flight;
    return options;
}

// Requests that take permits and keep them until told otherwise.
struct World {
    World(double requests_per_second, int max_in_flight)
        : pace(std::in_place, clock, limits(requests_per_second, max_in_flight))
    {}

    struct Asker {
        std::optional<RateLimiter::Permit> permit;
        asio::cancellation_signal cancel;
        bool canceled = false, given_up = false;
        std::optional<Error> refused; // any other failure
    };

    static Task<> ask(World* world, Asker* asker, int name, Priority priority)
    {
        asker->permit.emplace(co_await world->pace->acquire(priority));
        world->served.push_back(name);
        world->at.push_back(world->clock.passed());
    }

    Asker& wants(int name, Priority priority = Priority::app)
    {
        Asker& asker = askers.emplace_back();
        auto done = [&asker](std::exception_ptr error) {
            if (!error) return;
            try {
                std::rethrow_exception(error);
            } catch (const Error& gone) {
                asker.given_up = gone.fault() == Fault::canceled;
                if (!asker.given_up) asker.refused = gone;
            } catch (const boost::system::system_error& aborted) {
                asker.canceled = aborted.code() == asio::error::operation_aborted;
            }
        };
        asio::co_spawn(loop, ask(this, &asker, name, priority),
                       asio::bind_cancellation_slot(asker.cancel.slot(), done));
        support::run_until_idle(loop);
        return asker;
    }
    void pass(std::chrono::nanoseconds time)
    {
        clock.advance(time);
        support::run_until_idle(loop);
    }
    void done(Asker& asker)
    {
        asker.permit.reset();
        support::run_until_idle(loop);
    }
    void done(Asker& asker, const Outcome& outcome)
    {
        asker.permit->settle(outcome);
        done(asker);
    }
    // One that asks, goes and ends so; nothing where it is refused.
    Asker& tries(const Outcome& outcome, Priority priority = Priority::increment)
    {
        Asker& asker = wants(-1, priority);
        if (asker.permit) done(asker, outcome);
        return asker;
    }

    support::FakeClock clock;
    std::list<Asker> askers; // outlives the loop's coroutines
    asio::io_context loop;
    std::optional<RateLimiter> pace;
    std::vector<int> served;
    std::vector<std::chrono::nanoseconds> at;
};

inline Outcome outcome(Outcome::Kind kind, std::string words = "")
{
    Outcome made;
    made.kind = kind;
    made.success = kind == Outcome::Kind::answered;
    made.words = std::move(words);
    return made;
}

} // namespace upstream_test
