// SPDX-License-Identifier: Apache-2.0
// What is read on a loop of the proxy takes no more of SQLite's steps in a large mirror than in a small one.
#include "cache/assemble.hpp"
#include "cache/list.hpp"
#include "daemon/status.hpp"
#include "tests/cache/fixture.hpp"

#include <sqlite3.h>

namespace alli::daemon {
namespace {

class Steps : public cache::CacheTest {
  protected:
    void fill(int from, int to)
    {
        for (int n = from; n < to; ++n) put("c" + std::to_string(n), 1000 + n, 3);
    }

    template <class Read>
    std::int64_t steps_of(Read read)
    {
        std::int64_t steps = 0;
        store_->read([&](cache::Reader& db) {
            const auto count = [](void* at) {
                ++*static_cast<std::int64_t*>(at);
                return 0;
            };
            sqlite3_progress_handler(db.handle(), 1, count, &steps);
            read(db);
            sqlite3_progress_handler(db.handle(), 0, nullptr, nullptr);
        });
        return steps;
    }

    std::vector<std::int64_t> all_steps()
    {
        return {
            steps_of([&](cache::Reader& db) {
                store_->read_outbox([&](cache::Reader& outbox) { make_status(db, outbox, "http://x", nullptr); });
            }),
            steps_of([](cache::Reader& db) { cache::list_conversations(db, {}, 50, std::nullopt); }),
            steps_of([](cache::Reader& db) { cache::find_conversation(db, {"c7"}); }),
            steps_of([](cache::Reader& db) { cache::find_chat_page(db, {"c7"}, 1); }),
        };
    }
};

TEST_F(Steps, OfAReadDoNotGrowWithTheMirror)
{
    fill(0, 200);
    const auto small = all_steps();
    fill(200, 2000);
    const auto large = all_steps();
    for (std::size_t n = 0; n < small.size(); ++n) {
        EXPECT_GT(small[n], 10) << n << ": else nothing was counted";
        EXPECT_LE(large[n], small[n] + small[n] / 4 + 50) << n;
    }
}

} // namespace
} // namespace alli::daemon
