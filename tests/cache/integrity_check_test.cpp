// SPDX-License-Identifier: Apache-2.0
// The check of a file's pages gives way to writers, and finds the same all the same.
#include "cache/upkeep/integrity_check.hpp"

#include "alli/error.hpp"
#include "tests/cache/fixture.hpp"

#include <fstream>

namespace alli::cache {
namespace {

using testing::IsEmpty;

class PageCheckTest : public CacheTest {
  protected:
    PageCheckTest()
    {
        write([](Writer& db) {
            db.run("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
                   " INSERT INTO chat_text (place, raw) SELECT i, CASE i % 6000 WHEN 0 THEN hex(zeroblob(9000))"
                   " ELSE 'text ' || i END FROM n");
        });
    }

    // A page of that table, past SQLite.
    void spoil(const std::string& table)
    {
        std::int64_t page = 0;
        store_->read([&](Reader& db) {
            for (const Row row :
                 db.query("SELECT max(pageno) FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'", table))
                page = row.integer(0);
        });
        store_.reset();
        std::fstream file(dir_ / "mirror.db", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp((page - 1) * 4096);
        file << "\x05\xff\xff\xff";
    }

    // `times`: how often it is ended, each time where it is asked whether it shall stop.
    std::vector<std::string> check(int times, const char* pragma = "integrity_check")
    {
        Connection db(dir_ / "mirror.db", Access::read);
        ActiveReads reads;
        const auto stopping = [&] {
            if (times-- > 0) reads.end_older_than({});
            return false;
        };
        db.interrupt_when(stopping);
        auto found = find_page_damage(db, reads, {pragma, 20, "a check", [] { return false; }});
        ended_ = times < 0;
        return found;
    }
    bool ended_ = false; // as often as was asked for
};

TEST_F(PageCheckTest, FindsNothingWhereNothingIsWrong)
{
    EXPECT_THAT(check(0), IsEmpty());
}

TEST_F(PageCheckTest, GoesOnByTableAndByRowWhereItIsEnded)
{
    for (const int times : {1, 2, 3}) {
        EXPECT_THAT(check(times), IsEmpty());
        EXPECT_TRUE(ended_) << times;
        EXPECT_THAT(check(times, "quick_check"), IsEmpty());
        EXPECT_TRUE(ended_) << times;
    }
}

TEST_F(PageCheckTest, FindsAPageThatIsWrongInEachWay)
{
    spoil("chat_text");
    for (const int times : {0, 1, 2}) try {
            EXPECT_THAT(check(times), testing::Not(IsEmpty())) << times;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::damaged);
        }
}

TEST_F(PageCheckTest, StopsWhereItIsTold)
{
    Connection db(dir_ / "mirror.db", Access::read);
    ActiveReads reads;
    const auto stop = [] { return true; };
    db.interrupt_when(stop);
    EXPECT_THROW(find_page_damage(db, reads, {"integrity_check", 20, "a check", stop}), Error);
}

} // namespace
} // namespace alli::cache
