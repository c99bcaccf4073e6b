// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/request_fence.hpp"
#include "tests/support/temp_dir.hpp"

#include <gtest/gtest.h>

namespace alli::cache {
namespace {

TEST(Arrivals, TellWhetherAYoungerAnswerCameAndAreUndoneWithItsRows)
{
    support::TempDir dir;
    Writer db(dir / "mirror.db");
    make_request_fence(db);
    db.script("BEGIN");
    raise_request_fence(db, {"a"}, 7);
    raise_request_fence(db, {"a"}, 5); // an older one changes nothing
    db.script("COMMIT");
    EXPECT_TRUE(is_superseded(db, {"a"}, 6));
    EXPECT_FALSE(is_superseded(db, {"a"}, 7));
    EXPECT_FALSE(is_superseded(db, {"b"}, 1));

    db.script("BEGIN");
    raise_request_fence(db, {"b"}, 9);
    db.script("ROLLBACK");
    EXPECT_FALSE(is_superseded(db, {"b"}, 1)) << "what it brought is not there either";

    drop_request_fences_before(db, 8);
    EXPECT_FALSE(is_superseded(db, {"a"}, 1));
}

} // namespace
} // namespace alli::cache
