// SPDX-License-Identifier: Apache-2.0
#include "cache/db/readers.hpp"
#include "tests/cache/fixture.hpp"

#include <sqlite3.h>

namespace alli::cache {
namespace {

using namespace std::chrono_literals;

int pages_of(Reader& db)
{
    int used = 0, most = 0;
    sqlite3_db_status(db.handle(), SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0);
    return used;
}

class ReadersTest : public CacheTest {
  protected:
    // Reads all there is.
    static void fill(Reader& db)
    {
        db.run("BEGIN");
        db.require<std::int64_t>("SELECT sum(length(raw)) FROM conversation");
        db.run("COMMIT");
    }
};

TEST_F(ReadersTest, GiveTheirPagesBackWhenOthersSufficeForAWhile)
{
    for (int n = 0; n < 50; ++n) put("c" + std::to_string(n), 1000 + n, 1, {{"memo", std::string(20'000, 'x')}});
    Readers readers(dir_ / "mirror.db", false);
    const auto start = std::chrono::steady_clock::time_point{} + 1h;
    auto busy = readers.take(), resting = readers.take();
    for (Reader* one : {busy.get(), resting.get()}) {
        fill(*one);
        ASSERT_GT(pages_of(*one), 500'000);
    }
    Reader* const rests = resting.get();
    readers.give_back(std::move(resting), start);
    readers.give_back(std::move(busy), start);
    for (auto now = start; now < start + Readers::rest; now += 1s) {
        busy = readers.take();
        ASSERT_NE(busy.get(), rests) << "the one that was used last";
        readers.give_back(std::move(busy), now);
        EXPECT_GT(pages_of(*rests), 500'000);
    }
    busy = readers.take();
    readers.give_back(std::move(busy), start + Readers::rest);
    EXPECT_LT(pages_of(*rests), 100'000);
    busy = readers.take();
    EXPECT_GT(pages_of(*busy), 500'000) << "it is in use";
    release_pages(*busy);
    EXPECT_LT(pages_of(*busy), 100'000);
    fill(*busy);
    EXPECT_GT(pages_of(*busy), 500'000) << "and works on";
}

} // namespace
} // namespace alli::cache
