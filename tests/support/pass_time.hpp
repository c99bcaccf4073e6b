// SPDX-License-Identifier: Apache-2.0
// A while of a FakeClock's time: everybody who sleeps wakes when it is due, in order, and goes on before the next.
#pragma once

#include "tests/support/fake_clock.hpp"

namespace support {

void pass_time(boost::asio::io_context& loop, FakeClock& clock, std::chrono::nanoseconds time);

} // namespace support
