// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/vary.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

upstream::Reply reply_with(std::vector<std::string> vary)
{
    upstream::Reply reply;
    for (std::string& value : vary) reply.headers.add("vary", std::move(value));
    return reply;
}

TEST(Vary, NamesWhatNeverGoesUpstreamForNothing)
{
    for (const auto& none :
         {std::vector<std::string>{}, {""}, {","}, {"Accept-Encoding"}, {"ORIGIN , accept-encoding"}})
        EXPECT_FALSE(may_vary(reply_with(none)));
    for (const auto& some : {std::vector<std::string>{"*"}, {"Origin", "Accept-Language"}, {"Origin,AGENT-EMAIL"}})
        EXPECT_TRUE(may_vary(reply_with(some)));
}

TEST(Vary, MakesAnAnswerSpecialToWhoSendsWhatItNames)
{
    const auto reply = reply_with({"Accept-Encoding, accept-language"});
    EXPECT_FALSE(is_special(reply, {{"Via", "x"}, {"Accept-Encoding", "gzip"}}));
    EXPECT_TRUE(is_special(reply, {{"Accept-Language", "ko"}}));
    EXPECT_TRUE(is_special(reply_with({"*"}), {}));
}

} // namespace
} // namespace alli::proxy
