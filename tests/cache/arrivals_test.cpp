// SPDX-License-Identifier: Apache-2.0
#include "cache/arrivals.hpp"
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
    note_arrival(db, {"a"}, 7);
    note_arrival(db, {"a"}, 5); // an older one changes nothing
    db.script("COMMIT");
    EXPECT_TRUE(is_outrun(db, {"a"}, 6));
    EXPECT_FALSE(is_outrun(db, {"a"}, 7));
    EXPECT_FALSE(is_outrun(db, {"b"}, 1));

    db.script("BEGIN");
    note_arrival(db, {"b"}, 9);
    db.script("ROLLBACK");
    EXPECT_FALSE(is_outrun(db, {"b"}, 1)) << "what it brought is not there either";

    forget_arrivals_before(db, 8);
    EXPECT_FALSE(is_outrun(db, {"a"}, 1));
}

} // namespace
} // namespace alli::cache
