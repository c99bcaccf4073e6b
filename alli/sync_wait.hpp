// SPDX-License-Identifier: Apache-2.0
// A task by itself, for commands and tests: on a loop of its own, on the thread that asks.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <utility>

namespace alli {

/// What the task returns, on a loop that ends with it; throws what it throws. `task` must not wait on another loop.
template <class T>
T sync_wait(asio::io_context& loop, Task<T> task)
{
    auto result = asio::co_spawn(loop, std::move(task), asio::use_future);
    loop.run();
    return result.get();
}

template <class T>
T sync_wait(Task<T> task)
{
    asio::io_context loop(1);
    return sync_wait(loop, std::move(task));
}

} // namespace alli
