// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/page.hpp"

#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using testing::HasSubstr;
using testing::Not;

class Page : public ProxyTest {};

TEST_F(Page, IsServedPackedOrAsItIsWithATagForEach)
{
    start();
    const ::support::Headers takes_gzip{{"Accept-Encoding", "br, gzip"}};
    const ::support::Headers refuses_gzip{{"Accept-Encoding", "gzip;q=0"}};
    const auto plain = get("/"), packed = get("/", takes_gzip);
    EXPECT_EQ(plain.status, 200);
    EXPECT_EQ(plain.header("Content-Type"), "text/html; charset=utf-8");
    EXPECT_THAT(plain.body, HasSubstr("<script type=\"module\" src=\"/page/main.js\">"));
    EXPECT_EQ(packed.header("Content-Encoding"), "gzip");
    EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
    EXPECT_NE(plain.header("ETag"), packed.header("ETag"));
    EXPECT_EQ(get("/", refuses_gzip).header("Content-Encoding"), "");
    EXPECT_EQ(get("/", {{"Accept-Encoding", "gzip;q=0.0, identity"}}).header("Content-Encoding"), "");
    EXPECT_EQ(get("/", {{"Accept-Encoding", "gzip;q=0.2, identity;q=0.5"}}).header("Content-Encoding"), "");
    EXPECT_EQ(get("/", {{"Accept-Encoding", "gzip;q=0.5"}}).header("Content-Encoding"), "gzip");
    ::support::Headers known;
    known.emplace_back("If-None-Match", plain.header("ETag"));
    EXPECT_EQ(get("/", known).status, 304);
}

TEST_F(Page, AllowsNoCodeButItsOwn)
{
    start();
    for (const page::Asset& asset : page::assets()) {
        const auto reply = get("/page/" + std::string(asset.name));
        EXPECT_EQ(reply.status, 200) << asset.name;
        EXPECT_EQ(reply.body, asset.plain);
        EXPECT_THAT(reply.header("Content-Security-Policy"), HasSubstr("script-src 'self';"));
        EXPECT_THAT(reply.header("Content-Security-Policy"), Not(HasSubstr("unsafe")));
        EXPECT_EQ(reply.header("X-Content-Type-Options"), "nosniff");
        EXPECT_NE(reply.header("Content-Type"), "application/octet-stream") << asset.name;
        EXPECT_THAT(asset.plain, Not(HasSubstr("innerHTML"))) << asset.name;
    }
    EXPECT_EQ(get("/page/nothing.js").status, 404);
}

TEST_F(Page, IsThreeSmallAnswers)
{
    const auto all = page::assets();
    const auto index =
        std::find_if(all.begin(), all.end(), [](const page::Asset& asset) { return asset.name == "index.html"; });
    ASSERT_NE(index, all.end());
    std::size_t packed = 0;
    for (const page::Asset& asset : all) {
        packed += asset.packed.size();
        if (!asset.name.ends_with(".html") && asset.name != "openapi.json") {
            EXPECT_THAT(index->plain, HasSubstr("\"/page/" + std::string(asset.name) + "\""));
        }
        EXPECT_THAT(asset.plain, Not(HasSubstr("import "))) << asset.name;
        EXPECT_THAT(asset.plain, Not(HasSubstr("import\""))) << asset.name;
    }
    EXPECT_EQ(all.size(), 6u); // and the door, the icon and the API's description, which nothing waits for
    EXPECT_LT(packed, 100'000u);
}

TEST_F(Page, SaysHowToGetInToWhoHasNoKey)
{
    start();
    ::support::Headers stranger;
    stranger.emplace_back("Host", host_);
    const auto reply = ::support::http(port_, "GET", "/", stranger);
    EXPECT_EQ(reply.status, 401);
    EXPECT_THAT(reply.body, HasSubstr("alli-mirror open"));
    EXPECT_THAT(reply.header("Content-Security-Policy"), HasSubstr("default-src 'none'; style-src 'sha256-"));
    EXPECT_EQ(::support::http(port_, "GET", "/page/main.js", stranger).status, 401);
}

} // namespace
} // namespace alli::proxy
