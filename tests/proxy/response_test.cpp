// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/response.hpp"

#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json body_json(const Response& response)
{
    return json::parse(response.body.view());
}

Response answer_to(Fault fault, ErrorFormat error_format)
{
    return answer_of(std::make_exception_ptr(Error(fault, "do this", "that went wrong")), error_format);
}

TEST(ErrorResponse, SpeaksUpstreamsShapesUnderWebapi)
{
    EXPECT_EQ(body_json(problem(ErrorFormat::webapi, 401, "x")).dump(),
              R"({"error":{"name":"INVALID_TOKEN","value":1013},"message":"INVALID_TOKEN"})");
    EXPECT_EQ(body_json(problem(ErrorFormat::webapi, 403, "x"))["code"], 7001);
    EXPECT_EQ(body_json(problem(ErrorFormat::webapi, 404, "x"))["code"], 7003);
    const json body = body_json(problem(ErrorFormat::contract_read, 504, "away"));
    EXPECT_EQ(body["type"], "APIError");
    EXPECT_EQ(body["code"], 7000);
    EXPECT_EQ(body["message"], "away");
}

TEST(ErrorResponse, SpeaksProblemJsonElsewhere)
{
    const Response response = answer_to(Fault::usage, ErrorFormat::ours);
    EXPECT_EQ(response.headers.at(0).value, "application/problem+json");
    const json body = body_json(response);
    EXPECT_EQ(body["status"], 400);
    EXPECT_EQ(body["title"], "Bad Request");
    EXPECT_EQ(body["detail"], "that went wrong");
    EXPECT_EQ(body["hint"], "do this");
}

TEST(ErrorResponse, GivesEveryFaultItsStatus)
{
    EXPECT_EQ(answer_to(Fault::usage, ErrorFormat::webapi).status, 400);
    EXPECT_EQ(answer_to(Fault::key_rejected, ErrorFormat::webapi).status, 403);
    EXPECT_EQ(answer_to(Fault::bad_reply, ErrorFormat::webapi).status, 502);
    EXPECT_EQ(answer_to(Fault::disk_full, ErrorFormat::webapi).status, 507);
    EXPECT_EQ(answer_to(Fault::unreachable, ErrorFormat::contract_read).status, 504);
    const Response away = answer_to(Fault::unreachable, ErrorFormat::webapi);
    EXPECT_EQ(away.status, 503);
    EXPECT_THAT(http::render_head(away, {}), HasSubstr("Retry-After: 5\r\n"));
}

TEST(ErrorResponse, SaysNothingOfAFailureItDoesNotKnow)
{
    const Response response =
        answer_of(std::make_exception_ptr(std::runtime_error("inner words")), ErrorFormat::webapi);
    EXPECT_EQ(response.status, 500);
    EXPECT_THAT(std::string(response.body.view()), Not(HasSubstr("inner words")));
}

TEST(ErrorResponse, CarriesWhatKeepsPagesOut)
{
    http::WriteOptions options;
    options.defaults = default_headers();
    const std::string head = http::render_head(text_response("application/json", std::string("{}")), options);
    for (const char* line :
         {"HTTP/1.1 200 OK\r\n", "X-Content-Type-Options: nosniff\r\n", "Cross-Origin-Resource-Policy: same-origin\r\n",
          "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n", "Referrer-Policy: no-referrer\r\n",
          "Cache-Control: private, no-cache\r\n", "Content-Length: 2\r\n"})
        EXPECT_THAT(head, HasSubstr(line));
    EXPECT_THAT(head, Not(HasSubstr("Access-Control")));
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

} // namespace
} // namespace alli::proxy
