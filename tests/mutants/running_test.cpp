// SPDX-License-Identifier: Apache-2.0
// The name of the running test, for mutant_switch.hpp: linked into the test programs of the copy alone.
#include <gtest/gtest.h>

#include <atomic>
#include <string>

namespace {

std::atomic<const char*> running{nullptr};

class Watch : public testing::EmptyTestEventListener {
    void OnTestStart(const testing::TestInfo& test) override
    {
        // Never freed: a thread of the test before may still read it.
        running = (new std::string(std::string(test.test_suite_name()) + '.' + test.name()))->c_str();
    }
};

[[maybe_unused]] const bool watching = [] {
    testing::UnitTest::GetInstance()->listeners().Append(new Watch);
    return true;
}();

} // namespace

extern "C" const char* alli_mutant_test() noexcept;
const char* alli_mutant_test() noexcept
{
    return running;
}
