// SPDX-License-Identifier: Apache-2.0
// Task<T>: an operation that may wait. Awaited on the loop it was spawned on; throws what it throws into the awaiter.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace alli {

namespace asio = boost::asio;

template <class T = void>
using Task = asio::awaitable<T>;

} // namespace alli
