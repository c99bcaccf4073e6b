// SPDX-License-Identifier: Apache-2.0
#include "http/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace alli::http {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Response, SendsNoBodyWhereNoneMayBe)
{
    Response response;
    response.body = std::string("{}");
    WriteOptions options;
    options.head_only = true;
    EXPECT_EQ(body_of(response, options), "");
    EXPECT_THAT(render_head(response, options), HasSubstr("Content-Length: 2\r\n"));
    response.status = 304;
    EXPECT_EQ(body_of(response, {}), "");
    EXPECT_THAT(render_head(response, {}), Not(HasSubstr("Content-Length")));
}

TEST(Response, SharesABodyWithoutCopyingIt)
{
    const auto shared = std::make_shared<const std::string>("long");
    const Body one(shared), other(shared);
    EXPECT_EQ(one.view().data(), other.view().data());
}

TEST(Response, CarriesDefaultHeadersUnlessItHasThemItself)
{
    constexpr DefaultHeader defaults[] = {{"Cache-Control", "no-store"}, {"X-Two", "2"}};
    WriteOptions options;
    options.defaults = defaults;
    Response response;
    response.status = 503;
    response.headers.add("cache-control", "private");
    EXPECT_EQ(render_head(response, options), "HTTP/1.1 503 Service Unavailable\r\ncache-control: private\r\n"
                                              "X-Two: 2\r\nContent-Length: 0\r\n\r\n");
}

TEST(Response, SaysWhetherTheConnectionIsKept)
{
    const auto head = [](bool http10, bool close) {
        WriteOptions options;
        options.http10 = http10;
        options.close = close;
        return render_head({}, options);
    };
    EXPECT_THAT(head(false, false), Not(HasSubstr("Connection")));
    EXPECT_THAT(head(true, false), HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_THAT(head(false, true), HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(head(true, true), HasSubstr("Connection: close\r\n"));
}

TEST(Response, HasTheReasonPhrasesOfTheRegistry)
{
    EXPECT_EQ(reason_phrase(200), "OK");
    EXPECT_EQ(reason_phrase(421), "Misdirected Request");
    EXPECT_EQ(reason_phrase(511), "Network Authentication Required");
    EXPECT_EQ(reason_phrase(299), "");
    EXPECT_EQ(reason_phrase(599), "");
}

} // namespace
} // namespace alli::http
