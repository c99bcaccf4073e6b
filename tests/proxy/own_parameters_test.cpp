// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/own_parameters.hpp"

#include "alli/error.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace alli::proxy {
namespace {

using testing::HasSubstr;

std::string hint_of(OperationId operation, std::string_view query)
{
    const std::vector<std::string> ignored{"_"};
    try {
        require_own_parameters(operation, query, ignored);
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::usage);
        return error.hint();
    }
    return "none";
}

TEST(OwnParameters, AMisspeltOneIsNotAsIfItWereNotThere)
{
    EXPECT_EQ(hint_of(OperationId::outbox, "stat=failed"), "did you mean state?");
    EXPECT_EQ(hint_of(OperationId::sync, "acceptdeletions=true"), "did you mean acceptDeletions?");
    EXPECT_THAT(hint_of(OperationId::changes, "zebra=1"), HasSubstr("since, limit, wait"));
    EXPECT_EQ(hint_of(OperationId::status, "verbose=1"), "it takes none");
}

TEST(OwnParameters, OneWithTwoValuesIsRefusedUnlessItTakesSeveral)
{
    EXPECT_EQ(hint_of(OperationId::outbox, "state=failed&state=conflict"), "give it once");
    EXPECT_EQ(hint_of(OperationId::search, "q=a&limit=3&q=b"), "give it once");
    EXPECT_EQ(hint_of(OperationId::changes, "since=1&since=2"), "give it once");
    EXPECT_EQ(hint_of(OperationId::search, "q=a&q=a"), "none") << "nothing of it is lost";
    EXPECT_EQ(hint_of(OperationId::search, "q=&q=a&_=1&_=2"), "none");
    EXPECT_EQ(hint_of(OperationId::insights, "app=a&app=b&user=c&user=d&category=e&category=f"), "none");
    EXPECT_EQ(hint_of(OperationId::insights, "from=7d&from=8d"), "give it once");
}

TEST(OwnParameters, KnownOnesAndThoseThatOnlyBreakCachesPass)
{
    EXPECT_EQ(hint_of(OperationId::outbox, "state=failed&limit=5&cursor=9&_=1764"), "none");
    EXPECT_EQ(hint_of(OperationId::status, ""), "none");
    EXPECT_EQ(hint_of(OperationId::status, "_=1"), "none");
    EXPECT_EQ(hint_of(OperationId::live, "anything=1"), "none") << "probes add what they like";
    EXPECT_EQ(hint_of(OperationId::metrics, "name=x"), "none");
}

} // namespace
} // namespace alli::proxy
