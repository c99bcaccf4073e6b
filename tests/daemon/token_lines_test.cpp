// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/token_lines.hpp"

#include "alli/error.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using proxy::Part;
using proxy::Scope;
using testing::HasSubstr;
using testing::Not;

const std::string hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // of "hello"
const std::string other = "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7"; // of "world"

std::vector<TokenLine> read(const std::string& bytes, const Zone& zone = Zone())
{
    return read_token_lines(bytes, "FILE", zone);
}

proxy::Token read_one(const std::string& line, const Zone& zone = Zone())
{
    return read(line, zone).at(0).token;
}

TEST(TokenLines, SayWhoMayDoWhatUntilWhen)
{
    const proxy::Token token =
        read_one("qa%20board\tread  " + hash + " user=u%3D expires=2027-01-31T12:00:00+09:00 app=QXBwOjE=");
    EXPECT_EQ(token.principal.name, "qa board");
    EXPECT_EQ(token.principal.scope, Scope::read);
    EXPECT_EQ(token.principal.part, (Part{"QXBwOjE=", "u="}));
    EXPECT_EQ(token.hash, sha256("hello"));
    EXPECT_EQ(token.expires, from_rfc3339("2027-01-31T03:00:00Z"));
    const proxy::Token plain = read_one("\xef\xbb\xbfprometheus metrics 2CF24DBA" + hash.substr(8) + "\r\n");
    EXPECT_EQ(plain.hash, sha256("hello"));
    EXPECT_EQ(plain.expires, std::nullopt);
    EXPECT_TRUE(plain.principal.part.is_whole());
}

TEST(TokenLines, ADayIsGoodUntilItsEndWhereTheDaemonIs)
{
    EXPECT_EQ(read_one("a read " + hash + " expires=2027-01-31").expires, from_rfc3339("2027-02-01T00:00:00Z"));
    EXPECT_EQ(read_one("a read " + hash + " expires=2027-01-31", Zone::load("Asia/Seoul")).expires,
              from_rfc3339("2027-01-31T15:00:00Z"));
}

TEST(TokenLines, ABareTokenOfAnOlderVersionMayWrite)
{
    const auto lines = read("# old ones\n\nhello\n  world \r\nhello\n\na read " + std::string(64, 'a') + "\n");
    ASSERT_EQ(lines.size(), 4u);
    EXPECT_EQ(lines[0].token.principal.name, "line 3");
    EXPECT_EQ(lines[0].token.principal.scope, Scope::write);
    EXPECT_EQ(lines[0].token.hash, sha256("hello"));
    EXPECT_TRUE(lines[0].bare);
    EXPECT_EQ(lines[1].number, 4u);
    EXPECT_FALSE(lines[3].bare);
}

TEST(TokenLines, NamesTheLineAndTheMistakeAndNothingThatStandsThere)
{
    struct Row {
        std::string line, said;
    };
    const std::vector<Row> rows{
        {"canary secret", "has two words"},
        {"canary reads " + hash, "another scope"},
        {"canary READ " + hash, "another scope"},
        {"canary read secret-secret", "has no hash as its third word"},
        {"canary read " + hash.substr(1), "has no hash as its third word"},
        {"canary read " + hash + "0", "has no hash as its third word"},
        {"canary read g" + hash.substr(1), "has no hash as its third word"},
        {"canary read " + hash + " secret", "not expires=, app= or user="},
        {"canary read " + hash + " expire=2027-01-31", "not expires=, app= or user="},
        {"canary read " + hash + " expires=soon", "no date"},
        {"canary read " + hash + " expires=", "no date"},
        {"canary read " + hash + " expires=2027-02-30", "no date"},
        {"canary read " + hash + " app=", "empty id"},
        {"canary read " + hash + " app=%0a", "control character"},
        {"canary read " + hash + " app=a app=b", "twice"},
        {"canary read " + hash + " app=%zz", "broken percent escape"},
        {"canary%2 read " + hash, "broken percent escape"},
        {"canary%2Fx read " + hash, "slash or a control character"},
        {"canary%00 read " + hash, "slash or a control character"},
        {"canary%ff read " + hash, "no UTF-8"},
        {"canary\xff read " + hash, "beyond ASCII"},
        {"\xed\x95\x9c\xea\xb8\x80 read " + hash, "beyond ASCII"},
        {"key read " + hash, "is taken"},
        {"socket admin " + hash, "is taken"},
        {"canary metrics " + hash + " app=a", "of the whole mirror"},
        {"canary admin " + hash + " user=a", "of the whole mirror"},
        {"first read " + other, "has the name of that in line 1"},
        {"canary read " + std::string(64, '0'), "is the same token as that in line 1"},
        {"\"canary\"", "stands in quotes"},
        {"token:canary", "has a name before it"},
        {std::string(101, 'n') + " read " + hash, "longer than 100 bytes"},
    };
    for (const Row& row : rows) try {
            read("first read " + std::string(64, '0') + "\n\n" + row.line + "\n");
            ADD_FAILURE() << row.line;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings);
            EXPECT_THAT(error.what(), testing::StartsWith("the token in FILE:3 ")) << row.line;
            EXPECT_THAT(error.what(), HasSubstr(row.said)) << row.line;
            EXPECT_FALSE(error.hint().empty()) << row.line;
            for (const char* part : {"canary", "secret", "2cf24"})
                EXPECT_THAT(error.what() + error.hint(), Not(HasSubstr(part))) << row.line;
        }
}

TEST(TokenLines, ABareTokenIsNotAlsoAnother)
{
    EXPECT_THROW(read("hello\na read " + hash + "\n"), Error);
    EXPECT_THROW(read("a read " + hash + "\nhello\n"), Error);
}

TEST(TokenLines, AreWrittenAsTheyAreRead)
{
    for (const std::string& line :
         {"a read " + hash, "qa%20board write " + hash + " expires=2027-02-01T00:00:00Z", "%ED%95%9C admin " + hash,
          "n metrics " + hash, "a%23 read " + hash + " app=QXBwOjE%3D user=u%20%25"})
        EXPECT_EQ(write_token_line(read_one(line)), line);
    const proxy::Token odd{{"#", Scope::read, {"a b", "\n"}}, sha256("x"), std::nullopt};
    EXPECT_THAT(write_token_line(odd), testing::StartsWith("%23 read ")) << "no comment";
}

} // namespace
} // namespace alli::daemon
