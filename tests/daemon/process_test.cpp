// SPDX-License-Identifier: Apache-2.0
// The helper that runs programs: what it promises to the tests that use it.
#include "tests/support/process.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace support {

using std::chrono::milliseconds;

TEST(Process, GivesCodeAndOutput)
{
    const Finished finished = run_process({"/bin/sh", "-c", "echo out $X; echo err >&2; exit 7"}, {{"X", "1"}});
    EXPECT_EQ(finished.code, 7);
    EXPECT_EQ(finished.output, "out 1\n");
    EXPECT_EQ(finished.errors, "err\n");
}

TEST(Process, WaitsForALineAndForASignalsEnd)
{
    Process process({"/bin/sh", "-c", "echo one >&2; echo two >&2; exec cat /dev/zero > /dev/null"});
    EXPECT_EQ(process.wait_for_line("two"), "two");
    EXPECT_EQ(process.wait_for_line("one"), "one");
    process.send(SIGTERM);
    EXPECT_EQ(process.wait(), 128 + SIGTERM);
}

TEST(Process, GivesUpAtTheDeadline)
{
    Process process({"/bin/sh", "-c", "exec cat /dev/zero > /dev/null"});
    EXPECT_THROW(process.wait_for_line("never", milliseconds(20)), std::runtime_error);
    EXPECT_THROW(process.wait(milliseconds(20)), std::runtime_error);
}

TEST(Process, SaysWhatCameWhenALineDoesNot)
{
    Process process({"/bin/sh", "-c", "echo something else"});
    try {
        process.wait_for_line("never");
        FAIL();
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("something else"), std::string::npos);
    }
}

} // namespace support
