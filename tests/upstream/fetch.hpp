// SPDX-License-Identifier: Apache-2.0
// Runs one operation on a loop until it ended, at most ten seconds, and hands out what it returned or threw.
#pragma once

#include "alli/error.hpp"
#include "alli/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>

namespace upstream_test {

template <class T>
alli::Task<> keep(alli::Task<T> task, std::optional<T>* result)
{
    result->emplace(co_await std::move(task));
}

template <class T>
T run(boost::asio::io_context& loop, alli::Task<T> task)
{
    std::optional<T> result;
    std::exception_ptr thrown;
    bool ended = false;
    auto done = [&](std::exception_ptr error) {
        thrown = error;
        ended = true;
    };
    boost::asio::co_spawn(loop, keep(std::move(task), &result), done);
    loop.restart();
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!ended && std::chrono::steady_clock::now() < until) loop.run_one_until(until);
    if (!ended) throw std::logic_error("the operation did not end in time");
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*result);
}

/// The Error that the operation ends with; a test failure when it ends otherwise.
template <class T>
std::optional<alli::Error> error_of(boost::asio::io_context& loop, alli::Task<T> task)
try {
    run(loop, std::move(task));
    ADD_FAILURE() << "no error";
    return std::nullopt;
} catch (const alli::Error& error) {
    return error;
}

} // namespace upstream_test
