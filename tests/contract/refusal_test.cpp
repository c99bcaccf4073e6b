// SPDX-License-Identifier: Apache-2.0
// What is refused alike everywhere: keys, methods, paths.
#include "tests/contract/subject.hpp"

namespace alli::contract {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Refusals : public Contract {};

TEST_P(Refusals, AWrongKeyIsAnInvalidToken)
{
    const std::string target(list_path);
    const auto reply = subject().send("GET", target, {{"X-Other", "1"}});
    EXPECT_EQ(reply.status, 200);
    const auto wrong = subject().send_with("not-the-key", target);
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(json::parse(wrong.body).at("message"), "INVALID_TOKEN");
    EXPECT_EQ(json::parse(wrong.body).at("error").at("value"), 1013);
}

TEST_P(Refusals, ABrokenPathIsABadRequest)
{
    if (!mirrored()) GTEST_SKIP() << "how upstream takes these is not documented";
    for (const char* id : {"%", "%4", "%zz", "%00", "%0d%0a", "..", "%2e%2e", "%c0%af"})
        expect_refusal(std::string(list_path) + '/' + id, 400);
}

TEST_P(Refusals, AnotherMethodIsNotAllowed)
{
    const auto reply = subject().send("DELETE", list_path);
    EXPECT_EQ(reply.status, offline() ? 503 : 405);
    if (!mirrored()) return;
    const auto options = subject().send("OPTIONS", list_path);
    EXPECT_EQ(options.status, 204);
    EXPECT_EQ(options.body, "");
    EXPECT_THAT(std::string(options.header("Allow")), HasSubstr("GET, HEAD"));
}

ALLI_EVERY_WAY(Refusals);

} // namespace
} // namespace alli::contract
