// SPDX-License-Identifier: Apache-2.0
// A task by itself, for commands and tests: on a loop of its own, on the thread that asks.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <type_traits>

namespace alli {

/// What the task returns, on a loop that ends with it; throws what it throws. `task` must not wait on another loop.
template <class T>
T run_to_end(asio::io_context& loop, Task<T> task)
{
    std::exception_ptr failure;
    if constexpr (std::is_void_v<T>) {
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) { failure = error; });
        loop.run();
        if (failure) std::rethrow_exception(failure);
    } else {
        std::optional<T> result;
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
            failure = error;
            result = std::move(value);
        });
        loop.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
}

template <class T>
T run_to_end(Task<T> task)
{
    asio::io_context loop(1);
    return run_to_end(loop, std::move(task));
}

} // namespace alli
