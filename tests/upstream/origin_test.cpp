// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "upstream/curl/origin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using testing::HasSubstr;
using testing::Not;

TEST(Origin, TakesHttpsAnywhere)
{
    EXPECT_EQ(read_origin("https://backend.alli.ai").base, "https://backend.alli.ai");
    EXPECT_EQ(read_origin("https://backend.alli.ai/").base, "https://backend.alli.ai");
    EXPECT_EQ(read_origin("HTTPS://alli.example:8443").host, "alli.example:8443");
    EXPECT_EQ(read_origin("https://10.0.0.5").protocols, "https");
}

TEST(Origin, TakesPlainHttpTowardsThisMachineAlone)
{
    for (const char* url : {"http://127.0.0.1:8080", "http://127.9.9.9", "http://[::1]:8080", "http://localhost:1"})
        EXPECT_EQ(read_origin(url).protocols, "http") << url;
    for (const char* url : {"http://backend.alli.ai", "http://10.0.0.1", "http://localhost.evil.test", "http://[::2]",
                            "http://127.0.0.1.evil.test", "http://0.0.0.0", "http://[::ffff:10.0.0.1]"})
        EXPECT_THROW(read_origin(url), Error) << url;
}

TEST(Origin, RefusesWhatIsNotSchemeHostAndPort)
{
    for (const char* url : {"", "backend.alli.ai", "ftp://backend.alli.ai", "file:///etc/passwd", "https://",
                            "https://a.test/webapi", "https://a.test?x=1", "https://a.test#x", "https://a b.test",
                            "https://user:word@a.test", "https://user@a.test", "https://a.test:99999", "//a.test"}) {
        try {
            read_origin(url);
            ADD_FAILURE() << url;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings) << url;
            EXPECT_FALSE(error.hint().empty()) << url;
            EXPECT_THAT(error.what(), HasSubstr("upstream.url")) << url;
            EXPECT_THAT(error.what(), Not(HasSubstr("word"))) << url;
        }
    }
}

TEST(Origin, SaysWhatIsWrongAndWhatToWrite)
{
    struct Case {
        const char *url, *said;
    };
    const Case cases[] = {
        {"https:///x", "names no host"},
        {"https://", "names no host"},
        {"https://:8443", "names no host"},
        {"https:////backend.alli.ai", "names no host"},
        {"https:/backend.alli.ai", "is not a URL"},
        {"https:backend.alli.ai", "is not a URL"},
        {"backend.alli.ai:443", "it begins with https://"},
        {"ftp://backend.alli.ai", "must begin with https://"},
        {" https://backend.alli.ai", "holds a blank"},
        {"https://backend.alli.ai\n", "holds a blank"},
        {"\"https://backend.alli.ai\"", "stands in quotes"},
        {"https:\\\\backend.alli.ai", "holds a backslash"},
        {"https://a.test\\x", "holds a backslash"},
        {"https://user:word@a.test", "holds credentials"},
        {"https://a.test/?key=word@b", "holds credentials"},
        {"https://a.test:0", "a port that is no number from 1 to 65535"},
        {"https://a.test:65536", "a port that is no number from 1 to 65535"},
        {"https://a.test:99999999999999999999", "a port that is no number from 1 to 65535"},
        {"https://a.test:", "a port that is no number from 1 to 65535"},
        {"https://a.test:https", "a port that is no number from 1 to 65535"},
        {"https://[::1]:0", "a port that is no number from 1 to 65535"},
        {"https://::1:8443", "has an IPv6 address without brackets"},
        {"https://2001:db8::1", "has an IPv6 address without brackets"},
        {"https://b\u0430ckend.alli.ai", "holds a letter beyond ASCII"},
        {"https://\uff42ackend.alli.ai", "holds a letter beyond ASCII"},
        {"https://a.test/webapi", "the program adds /webapi itself: write https://a.test"},
        {"https://a.test/webapi/", "the program adds /webapi itself: write https://a.test"},
        {"https://a.test:8443/webapi/v2", "the program adds /webapi itself: write https://a.test:8443"},
        {"https://a.test/webapis", "holds a path"},
        {"https://a.test/alli", "holds a path"},
        {"https://a.test//", "holds a path"},
        {"https://https://a.test", "a port that is no number"},
        {"https://a.test?x=1", "holds a query or a fragment"},
        {"https://a.test/#x", "holds a query or a fragment"},
        {"https://a,b", "is not a URL"},
    };
    for (const Case& one : cases) try {
            read_origin(one.url);
            ADD_FAILURE() << one.url;
        } catch (const Error& error) {
            const std::string said = std::string(error.what()) + "; " + error.hint();
            EXPECT_THAT(said, testing::AllOf(HasSubstr("upstream.url"), HasSubstr(one.said))) << one.url;
            EXPECT_THAT(said, Not(HasSubstr("word"))) << one.url;
        }
}

TEST(Origin, CallsTheHostThatWasChecked)
{
    EXPECT_EQ(read_origin("http://2130706433:1").base, "http://127.0.0.1:1") << "an address as a number";
    EXPECT_EQ(read_origin("https://xn--80ak6aa92e.test").host, "xn--80ak6aa92e.test");
    EXPECT_EQ(read_origin("https://[2001:db8::1]:8443").host, "[2001:db8::1]:8443");
    EXPECT_EQ(read_origin("https://a_b.test:65535/").base, "https://a_b.test:65535");
}

} // namespace
