// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "daemon/settings/key_text.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;

constexpr const char* key = "Zk7-qX_9.w+T/2==";

std::string utf16(const std::string& text, bool little)
{
    std::string out = little ? "\xff\xfe" : "\xfe\xff";
    for (const char letter : text) out += little ? std::string{letter, '\0'} : std::string{'\0', letter};
    return out;
}

TEST(KeyText, IsTakenOutOfWhatSurroundsItBeyondDoubt)
{
    const std::string plain = key;
    for (const std::string& bytes :
         {plain, plain + "\n", plain + "\r\n", "\n\n  " + plain + " \t\r\n\r\n", "\xef\xbb\xbf" + plain + "\r\n",
          utf16(plain + "\r\n", true), utf16(plain, false), plain + "\xc2\xa0", "\xe3\x80\x80" + plain,
          "\xe2\x80\x8b" + plain + "\xe2\x80\x8b", "\xe2\x80\x8e" + plain, plain + "\xe2\x80\xa8", plain + "\v\f"})
        EXPECT_EQ(read_key(bytes, "the key"), plain) << testing::PrintToString(bytes);
}

TEST(KeyText, IsNoneWhereOnlyWhiteSpaceIs)
{
    for (const std::string& bytes : {""s, " \n\r\n\t"s, "\xef\xbb\xbf"s, utf16("", true), utf16("\r\n", false)})
        EXPECT_EQ(read_key(bytes, "the key"), "") << testing::PrintToString(bytes);
}

struct Mistake {
    std::string bytes, said;
};

std::vector<Mistake> mistakes()
{
    const std::string k = key;
    return {
        {"\"" + k + "\"", "stands in quotes"},
        {"'" + k + "'\n", "stands in quotes"},
        {"\"" + k, "stands in quotes"},
        {"`" + k + "`", "stands in quotes"},
        {"\xe2\x80\x9c" + k + "\xe2\x80\x9d", "stands in quotes"},
        {"\xc2\xab" + k + "\xc2\xbb", "stands in quotes"},
        {"\xe3\x80\x8c" + k + "\xe3\x80\x8d", "stands in quotes"},
        {"ALLI_API_KEY=" + k, "has a name before it"},
        {"ALLI_API_KEY=", "has a name before it"},
        {"export ALLI_API_KEY='" + k + "'", "has a name before it"},
        {"\xef\xbb\xbfset ALLI_API_KEY=" + k + "\r\n", "has a name before it"},
        {"$env:ALLI_API_KEY = \"" + k + "\"", "has a name before it"},
        {"Environment=ALLI_API_KEY=" + k, "has a name before it"},
        {"api_key = \"" + k + "\"", "has a name before it"},
        {"api-key: " + k, "has a name before it"},
        {"API-KEY: " + k, "has a name before it"},
        {"Authorization: Bearer " + k, "has a name before it"},
        {"token=" + k, "has a name before it"},
        {"Bearer " + k, "has a word before it"},
        {"bearer " + k, "has a word before it"},
        {k + "\n" + k + "\n", "has several lines"},
        {"# the key\n" + k + "\n", "has several lines"},
        {k + "\r" + k, "has several lines"},
        {"ALLI_API_KEY=" + k + "\nOTHER=1\n", "has several lines"},
        {"<" + k + ">", "stands in brackets"},
        {"{\"apiKey\":\"" + k + "\"}", "stands in brackets"},
        {k.substr(0, 5) + " " + k.substr(5), "holds a blank (character 6 of 17)"},
        {k.substr(0, 5) + "\xc2\xa0" + k.substr(5), "holds a blank"},
        {k.substr(0, 5) + "\xe2\x80\x8b" + k.substr(5), "holds an invisible character (character 6 of 17)"},
        {k.substr(0, 5) + "\xef\xbb\xbf" + k.substr(5), "holds an invisible character"},
        {k.substr(0, 5) + "\xc2\xad" + k.substr(5), "holds an invisible character"},
        {k + "\xef\xbc\xa1", "holds a full-width character"},
        {"\xd0\x90" + k, "holds a character beyond ASCII (character 1 of 17)"},
        {k + "\xf0\x9f\x94\x91", "holds a character beyond ASCII"},
        {"\xff" + k, "holds a byte that is no text"},
        {k + "\xe2\x80", "holds a byte that is no text"},
        {k + "\xed\xa0\x80", "holds a character beyond ASCII"},
        {utf16(k, true).substr(2), "holds a control character"},
        {k + "\0x"s, "holds a control character"},
        {"\x1b[31m" + k, "holds a control character"},
        {std::string(5000, 'k'), "is longer than any key"},
    };
}

TEST(KeyText, NamesEveryMistakeAndNeverThePartOfAKey)
{
    for (const Mistake& mistake : mistakes()) try {
            const std::string taken = read_key(mistake.bytes, "the API key in FILE");
            ADD_FAILURE() << "taken: " << testing::PrintToString(mistake.bytes) << " as " << taken;
        } catch (const Error& error) {
            const std::string said = std::string(error.what()) + "\n" + error.hint();
            EXPECT_EQ(error.fault(), Fault::settings);
            EXPECT_THAT(error.what(), HasSubstr("the API key in FILE " + mistake.said));
            EXPECT_FALSE(error.hint().empty()) << said;
            for (const char* part : {"Zk7", "qX_", "w+T", "kkk"}) EXPECT_THAT(said, Not(HasSubstr(part)));
        }
}

TEST(KeyText, LeavesAKeyWithOddSignsAlone)
{
    for (const char* odd : {"a=b", "aGVsbG9rZXk=", "monkey=", "key", "user:pass", "x:y=z", "#x", "a\"b", "<a", "{",
                            "~!@$%^&*()", "Bearer", "https://x", "sk-1", "A1'b"})
        EXPECT_EQ(read_key(odd, "the key"), odd);
}

std::vector<std::string> lines_of(std::string_view bytes)
{
    std::vector<std::string> lines;
    for (const TextLine& line : read_text_lines(bytes)) lines.push_back(std::to_string(line.number) + line.text);
    return lines;
}

TEST(KeyText, GivesTheLinesThatSaySomething)
{
    EXPECT_THAT(lines_of("\xef\xbb\xbf# tokens\r\none\r\n\r\n  two  words \r\n#\n#three\nfour"),
                ElementsAre("2one", "4two  words", "6#three", "7four"));
    EXPECT_THAT(lines_of(utf16("one\r\ntwo\r\n", true)), ElementsAre("1one", "2two"));
    EXPECT_THAT(lines_of("\xed\x95\x9c\xf0\x9f\x98\x80\n\xff"),
                ElementsAre("1\xed\x95\x9c\xf0\x9f\x98\x80", "2\xef\xbf\xbd"));
    EXPECT_THAT(lines_of(""), testing::IsEmpty());
}

TEST(KeyText, KnowsText)
{
    for (const char* text : {"", "a", "\xed\x95\x9c", "\xef\xbf\xbd", "\xf0\x9f\x98\x80"})
        EXPECT_TRUE(is_text(text)) << text;
    for (const char* bytes : {"\xff", "a\xc3", "\xc3(", "\xed\x95"}) EXPECT_FALSE(is_text(bytes));
}

} // namespace
} // namespace alli::daemon
