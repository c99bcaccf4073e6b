// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "upstream/site.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using testing::HasSubstr;
using testing::Not;

TEST(Site, TakesHttpsAnywhere)
{
    EXPECT_EQ(read_site("https://backend.alli.ai").base, "https://backend.alli.ai");
    EXPECT_EQ(read_site("https://backend.alli.ai/").base, "https://backend.alli.ai");
    EXPECT_EQ(read_site("HTTPS://alli.example:8443").host, "alli.example:8443");
    EXPECT_EQ(read_site("https://10.0.0.5").protocols, "https");
}

TEST(Site, TakesPlainHttpTowardsThisMachineAlone)
{
    for (const char* url : {"http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost:1"})
        EXPECT_EQ(read_site(url).protocols, "http") << url;
    for (const char* url : {"http://backend.alli.ai", "http://10.0.0.1", "http://localhost.evil.test", "http://[::2]",
                            "http://127.0.0.1.evil.test", "http://0.0.0.0", "http://[::ffff:10.0.0.1]"})
        EXPECT_THROW(read_site(url), Error) << url;
}

TEST(Site, RefusesWhatIsNotSchemeHostAndPort)
{
    for (const char* url : {"", "backend.alli.ai", "ftp://backend.alli.ai", "file:///etc/passwd", "https://",
                            "https://a.test/webapi", "https://a.test?x=1", "https://a.test#x", "https://a b.test",
                            "https://user:word@a.test", "https://user@a.test", "https://a.test:99999", "//a.test"}) {
        try {
            read_site(url);
            ADD_FAILURE() << url;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings) << url;
            EXPECT_FALSE(error.hint().empty()) << url;
            EXPECT_THAT(error.what(), HasSubstr("upstream.url")) << url;
            EXPECT_THAT(error.what(), Not(HasSubstr("word"))) << url;
        }
    }
}

} // namespace
