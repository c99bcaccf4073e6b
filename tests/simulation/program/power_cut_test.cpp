// SPDX-License-Identifier: Apache-2.0
// What a start knows of the end before it.
#include "cache/conversations.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/store.hpp"
#include "tests/simulation/program/dying_disk.hpp"
#include "tests/support/make.hpp"

#include "alli/sync_wait.hpp"

#include <gtest/gtest.h>

namespace simulation {
namespace {

using namespace alli;

class PowerCut : public testing::Test {
  protected:
    PowerCut() { begin(); }
    ~PowerCut() override { store_.reset(); }

    /// On an empty disk.
    void begin()
    {
        store_.reset();
        disk_.reset(); // there is one at a time
        disk_ = std::make_unique<DyingDisk>(1);
    }
    void open()
    {
        const std::string path = disk_->directory() + "/mirror.db";
        store_ = std::make_unique<cache::Store>(cache::StoreOptions{path, "http://x", false});
    }
    void put(const char* id)
    {
        const auto job = [&](cache::Writer& db) { cache::put_conversation(db, support::make_conversation(id, 100)); };
        sync_wait(store_->write(job));
    }
    void die(support::Loss loss) { die(loss, disk_->calls()); }
    void die(support::Loss loss, std::size_t calls)
    {
        disk_->die(loss, calls);
        store_.reset();
        disk_->restore();
    }
    cache::FeedBounds bounds()
    {
        return store_->read([](cache::Reader& db) { return cache::load_feed_bounds(db); });
    }

    std::unique_ptr<DyingDisk> disk_;
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

// A start after it gives all changes new numbers, and may be cut short itself.
TEST_F(PowerCut, AgainInTheStartAfterItTakesNothingFromTheFeed)
{
    std::size_t calls = 1;
    for (std::size_t at = 0; at < calls; ++at) {
        begin();
        open();
        put("a");
        put("b");
        store_.reset(); // in order
        open();
        die(support::Loss::all_unsynced);
        open();
        calls = disk_->calls();
        die(at % 2 == 0 ? support::Loss::all_unsynced : support::Loss::nothing, at);
        open();
        const auto changes = store_->read([](cache::Reader& db) { return cache::load_changes(db, 0, 1000); });
        ASSERT_EQ(changes.size(), 2U) << "after " << at << " of " << calls << " calls";
        for (const cache::Change& change : changes) EXPECT_TRUE(bounds().hold(change.seq));
    }
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
