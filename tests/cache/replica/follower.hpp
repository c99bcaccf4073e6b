// SPDX-License-Identifier: Apache-2.0
// A second mirror that is told by the first what changed, without anything shared between them.
#pragma once

#include "alli/sync_wait.hpp"
#include "cache/replica/apply.hpp"
#include "cache/replica/unpublished.hpp"
#include "cache/store.hpp"
#include "tests/cache/replica/dump.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::cache {

inline StoreOptions noting(StoreOptions options)
{
    options.on_open = &begin_notes;
    return options;
}

class Follower {
  public:
    /// Reads what the leader's mirror has noted in batches of about `limit` rows, and applies each.
    void follow(Store& leader, std::size_t limit = 1000)
    {
        for (bool whole = false; !whole;) {
            const Unpublished found = leader.read([&](Reader& db) { return read_unpublished(db, limit); });
            ASSERT_TRUE(found.whole || !found.notes.empty()) << "it never ends";
            EXPECT_TRUE(found.whole || found.rows.state.size() <= 1) << "claims come with the last rows";
            take(found);
            sync_wait(leader.write([&](Writer& db) { drop_notes(db, found.notes); }));
            whole = found.whole;
        }
    }

    void take(const Unpublished& found)
    {
        const ReplicaPosition position{"store", ++position_, "nonce"};
        const auto apply = [&](Writer& db) {
            EXPECT_TRUE(apply_rows(db, found.rows).empty());
            apply_state(db, found.rows.state, position);
        };
        sync_wait(store_->write(apply));
    }

    void expect_equals(Store& leader)
    {
        const auto same = [&](auto dump, const char* what) {
            const auto theirs = leader.read(dump), ours = store_->read(dump);
            for (const auto& [name, text] : theirs) {
                const auto found = ours.find(name);
                EXPECT_EQ(found == ours.end() ? "(none)" : found->second, text) << what << ' ' << name;
            }
            EXPECT_EQ(ours.size(), theirs.size()) << what;
        };
        same([](Reader& db) { return dump_conversations(db); }, "conversation");
        same([](Reader& db) { return dump_state(db); }, "state");
        same([](Reader& db) { return dump_lists(db); }, "list");
        EXPECT_EQ(store_->read([](Reader& db) { return count_notes(db); }), 0) << "applying makes no notes";
    }

    Store& store() { return *store_; }

  private:
    support::TempDir dir_;
    std::int64_t position_ = 0;
    std::unique_ptr<Store> store_ = std::make_unique<Store>(noting({dir_ / "mirror.db", "http://model", false}));
};

} // namespace alli::cache
