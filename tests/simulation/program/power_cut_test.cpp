// SPDX-License-Identifier: Apache-2.0
// What a start knows of the end before it.
#include "cache/conversations.hpp"
#include "cache/rows/change_feed.hpp"
#include "tests/simulation/program/dying_disk.hpp"
#include "tests/support/make.hpp"

#include "alli/sync_wait.hpp"

#include <gtest/gtest.h>

namespace simulation {
namespace {

using namespace alli;

class PowerCut : public testing::Test {
  protected:
    void open()
    {
        store_ =
            std::make_unique<cache::Store>(cache::StoreOptions{disk_.directory() + "/mirror.db", "http://x", false});
    }
    void put(const char* id)
    {
        const auto job = [&](cache::Writer& db) { cache::put_conversation(db, support::make_conversation(id, 100)); };
        sync_wait(store_->write(job));
    }
    void die(support::Loss loss)
    {
        disk_.die(loss);
        store_.reset();
        disk_.restore();
    }
    cache::FeedBounds bounds()
    {
        return store_->read([](cache::Reader& db) { return cache::load_feed_bounds(db); });
    }

    DyingDisk disk_{1};
    std::unique_ptr<cache::Store> store_;
};

TEST_F(PowerCut, ThatTakesEveryCommitSinceTheStartIsSeen)
{
    open();
    put("a");
    store_.reset(); // in order
    open();
    put("b");
    const auto given_out = bounds().last;
    die(support::Loss::all_unsynced);
    open();
    EXPECT_FALSE(bounds().hold(given_out)) << "it may be used again for another change";
}

TEST_F(PowerCut, IsNotSeenInAKill)
{
    open();
    put("a");
    const auto given_out = bounds().last;
    die(support::Loss::nothing);
    open();
    EXPECT_TRUE(bounds().hold(given_out));
}

} // namespace
} // namespace simulation
