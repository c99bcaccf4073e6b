// SPDX-License-Identifier: Apache-2.0
#include "sync/chatless_scan.hpp"

namespace alli::sync {

Task<> census(Tools tools, Deletions deletions, Duties duties, bool ends_were_read)
{
    ChatlessScan scan(tools, deletions, duties, upstream::Priority::reconcile);
    bool known = !ends_were_read && co_await scan.read_ends();
    if (!known) known = co_await scan.read_by_counts();
    if (!known) {
        co_await scan.read_whole();
        co_await scan.read_left_out();
    }
    co_await scan.finish();
}

Task<bool> census_by_ends(Tools tools, std::optional<Front> front, Deletions deletions, Duties duties)
{
    ChatlessScan scan(tools, deletions, duties, upstream::Priority::backfill);
    bool known = front && scan.take_front(*front);
    if (!known) known = co_await scan.read_ends();
    if (known) co_await scan.finish();
    co_return known;
}

} // namespace alli::sync
