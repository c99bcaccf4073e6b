// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pass_time.hpp"

namespace support {

void pass_time(boost::asio::io_context& loop, FakeClock& clock, std::chrono::nanoseconds time)
{
    const auto until = clock.passed() + time;
    run_until_idle(loop);
    while (clock.passed() < until) {
        const auto left = until - clock.passed();
        if (!clock.jump_to_next_within(left)) clock.advance(left);
        run_until_idle(loop);
    }
}

} // namespace support
