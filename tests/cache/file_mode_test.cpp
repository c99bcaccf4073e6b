// SPDX-License-Identifier: Apache-2.0
// The files are their owner's alone, whatever the process would give away.
#include "tests/cache/fixture.hpp"

#include <sys/stat.h>

namespace alli::cache {
namespace {

mode_t mode_of(const std::string& path)
{
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
}

TEST(FileMode, IsTheOwnersAloneUnderAnyMask)
{
    const mode_t before = ::umask(0);
    const support::TempDir dir;
    {
        Store store({dir / "mirror.db", "http://127.0.0.1:1", false});
        for (const char* name : {"mirror.db", "outbox.db", "mirror.db-wal", "outbox.db-wal"})
            EXPECT_EQ(mode_of(dir / name), 0600U) << name;
    }
    ::umask(before);
}

} // namespace
} // namespace alli::cache
