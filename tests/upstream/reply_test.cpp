// SPDX-License-Identifier: Apache-2.0
#include "upstream/reply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::HasSubstr;

Reply reply_of(int status, std::string body, std::string type = "")
{
    Reply reply;
    reply.status = status;
    reply.body = std::move(body);
    if (!type.empty()) reply.headers.add("content-type", std::move(type));
    return reply;
}

std::string described(const std::string& body)
{
    return describe_error(reply_of(400, body));
}

TEST(Reply, ReadsEveryShapeOfError)
{
    EXPECT_EQ(described(R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})"),
              "INVALID_TOKEN (1013)");
    EXPECT_EQ(described(R"({"error":{"value":7,"name":"LIMIT"},"message":"too many"})"), "LIMIT: too many (7)");
    EXPECT_EQ(described(R"({"result":[],"errors":"content must be JSON deserializable!"})"),
              "content must be JSON deserializable!");
    EXPECT_EQ(described(R"({"errors":["first","second"]})"), "first");
    EXPECT_EQ(described(R"({"type":"APIError","code":7001,"message":"bad key"})"), "bad key (7001)");
    EXPECT_EQ(described(R"({"code":7000})"), "error 7000");
    EXPECT_EQ(described(R"({"message":"only words"})"), "only words");
    EXPECT_EQ(described(R"({"type":"about:blank","title":"Nope","status":422,"detail":"no such thing"})"),
              "no such thing");
    EXPECT_EQ(described(R"({"title":"Nope"})"), "Nope");
    EXPECT_EQ(described("Method not allowed"), "Method not allowed");
    EXPECT_EQ(described(""), "an empty answer");
}

TEST(Reply, TakesAnyJsonWithoutAMessage)
{
    for (const char* body : {"{}", "[]", "[1,2]", R"({"error":5})", R"({"error":{},"message":null,"code":{}})",
                             R"({"errors":[]})", R"({"errors":[{}]})", "{\"cut"})
        EXPECT_EQ(described(body), "JSON without a message") << body;
}

TEST(Reply, NamesAWebPageByItsTitle)
{
    EXPECT_EQ(described("<html><HEAD><TITLE lang=en>502 Bad\n Gateway</TITLE></head>"),
              "an HTML page titled \"502 Bad Gateway\"");
    EXPECT_EQ(described("  <!DOCTYPE html><body>sorry"), "an HTML page");
    EXPECT_EQ(described("<html><title>"), "an HTML page");
    EXPECT_EQ(described("<title"), "an HTML page");
}

TEST(Reply, SaysItInOneShortLine)
{
    EXPECT_EQ(described("a\r\n\tb \x1b[31mred\x7f\xc2\x9b end"), "a b [31mred end");
    const auto cut = described(std::string(300, 'x'));
    EXPECT_EQ(cut, fmt::format("{:x>200}...", ""));
    std::string korean;
    for (int i = 0; i < 100; ++i) korean += "여";
    EXPECT_EQ(described(korean), korean.substr(0, 198) + "..."); // no half of a character
}

TEST(Reply, TellsAWebPageFromAnAnswer)
{
    EXPECT_TRUE(is_html(reply_of(200, "hello", "text/html; charset=utf-8")));
    EXPECT_TRUE(is_html(reply_of(200, " \n<!doctype HTML>")));
    EXPECT_TRUE(is_html(reply_of(200, "<HTML>", "application/json")));
    EXPECT_FALSE(is_html(reply_of(200, R"({"a":"<html>"})", "text/html")));
    EXPECT_FALSE(is_html(reply_of(200, "", "text/html")));
    EXPECT_FALSE(is_html(reply_of(200, "[]", "application/json")));
}

TEST(Reply, KnowsTheFaultOfAStatus)
{
    const std::vector<std::pair<int, Fault>> table{
        {401, Fault::key_rejected}, {403, Fault::key_rejected}, {408, Fault::unavailable}, {425, Fault::unavailable},
        {429, Fault::unavailable},  {500, Fault::unavailable},  {503, Fault::unavailable}, {599, Fault::unavailable},
        {301, Fault::bad_reply},    {304, Fault::bad_reply},    {400, Fault::refused},     {404, Fault::refused},
        {409, Fault::refused},      {422, Fault::refused},      {0, Fault::bad_reply},     {199, Fault::bad_reply}};
    for (const auto& [status, fault] : table) EXPECT_EQ(fault_of(status), fault) << status;
}

TEST(Reply, ThrowsUnlessItIsASuccess)
{
    EXPECT_NO_THROW(require_success(reply_of(200, ""), "x"));
    EXPECT_NO_THROW(require_success(reply_of(204, ""), "x"));
    try {
        require_success(reply_of(503, "<title>Busy</title>"), "the daily counts");
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "upstream answered the daily counts with 503: an HTML page titled \"Busy\"");
        EXPECT_EQ(error.fault(), Fault::unavailable);
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_THROW(require_success(reply_of(302, ""), "x"), Error);
    EXPECT_THROW(require_answer(reply_of(200, "<html>"), "x"), Error);
    EXPECT_NO_THROW(require_success(reply_of(200, "<html>"), "x"));
}

std::optional<std::chrono::milliseconds> waits(const std::string& value)
{
    Reply reply;
    reply.headers.add("retry-after", value);
    return retry_after(reply, *from_rfc3339("2026-01-31T12:00:00Z"));
}

TEST(Reply, ReadsRetryAfterAsSecondsOrDate)
{
    EXPECT_EQ(waits("7"), 7s);
    EXPECT_EQ(waits(" 0 "), 0s);
    EXPECT_EQ(waits("Sat, 31 Jan 2026 12:00:30 GMT"), 30s);
    EXPECT_EQ(waits("Sat, 31 Jan 2026 11:00:00 GMT"), 0s);
    EXPECT_FALSE(retry_after(Reply(), Instant()));
}

TEST(Reply, ReadsADateToRetryAfterByUpstreamsOwnClock)
{
    Reply reply;
    reply.headers = {{"Retry-After", "Sat, 31 Jan 2026 15:00:30 GMT"}, {"Date", "Sat, 31 Jan 2026 15:00:00 GMT"}};
    EXPECT_EQ(retry_after(reply, *from_rfc3339("2026-01-31T12:00:00Z")), 30s);
    reply.headers[1].value = "today";
    EXPECT_EQ(retry_after(reply, *from_rfc3339("2026-01-31T15:00:20Z")), 10s);
}

TEST(Reply, KeepsRetryAfterWithinAnHour)
{
    EXPECT_EQ(waits("3601"), 1h);
    EXPECT_EQ(waits("86400"), 1h);
    EXPECT_EQ(waits("Sun, 01 Feb 2026 11:00:00 GMT"), 1h);
}

TEST(Reply, RoundsAFractionOfASecondUpInRetryAfter)
{
    EXPECT_EQ(waits("1.5"), 2s);
    EXPECT_EQ(waits("1.0"), 1s);
    EXPECT_EQ(waits("0.001"), 1s);
    EXPECT_EQ(waits("2."), 2s);
}

TEST(Reply, TakesARetryAfterOfMoreThanADayForNone)
{
    for (const char* value : {"86401", "99999999999999999999999999", "Sat, 31 Jan 2099 12:00:30 GMT"})
        EXPECT_FALSE(waits(value)) << value;
}

// A gateway in front of the service must not silence the mirror for an hour; the service may.
TEST(Reply, ObeysAGatewaysRetryAfterForHalfAMinute)
{
    for (const auto& [body, wait] : std::vector<std::pair<std::string, std::chrono::seconds>>{
             {R"({"message":"Endpoint request timed out"})", 30s},
             {R"({"message":"Too Many Requests","statusCode":429})", 30s},
             {"upstream connect error", 30s},
             {R"({"type":"APIError","code":7000,"message":"later"})", 1800s},
             {R"({"error":{"value":1,"name":"LATER"}})", 1800s},
             {"", 1800s}}) {
        Reply reply;
        reply.status = 503;
        reply.headers = {{"Content-Type", "application/json"}, {"Retry-After", "1800"}};
        reply.body = body;
        EXPECT_EQ(retry_after(reply, Instant()), wait) << body;
    }
}

TEST(Reply, ObeysAWebPagesRetryAfterForHalfAMinute)
{
    Reply page;
    page.status = 503;
    page.headers = {{"Content-Type", "text/html"}, {"Retry-After", "1800"}};
    page.body = "<html>";
    EXPECT_EQ(retry_after(page, Instant()), 30s);
    page.headers[1].value = "7";
    EXPECT_EQ(retry_after(page, Instant()), 7s);
}

TEST(Reply, IgnoresARetryAfterThatIsNeither)
{
    for (const char* value :
         {"", "soon", "-5", ".5", "1.5.5", "1,5", "1e2", "+1", "0x10", "5s", "Sat, 31 Feb 2026 12:00:30 GMT"})
        EXPECT_FALSE(waits(value)) << value;
}

} // namespace
