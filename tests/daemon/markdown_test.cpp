// SPDX-License-Identifier: Apache-2.0
// What people wrote in Markdown: raw outputs, each was held once against cmark, cmark-gfm, pandoc, markdown-it, marked
// and remark.
#include "cache/export/markdown.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace alli::cache {
namespace {

struct Case {
    const char *what, *written, *line, *quote;
};
constexpr const char* same = nullptr; // the quotation is the line behind "> "

TEST(Markdown, MakesNothingOfWhatPeopleWrote)
{
    const auto cases = std::to_array<Case>({
        {"plain", "Hotel, 9:30 (2 beds) - \"ok\"?", "Hotel, 9:30 (2 beds) - \"ok\"?", same},
        {"scripts", "여행 2026. 1. 5. 温泉！", "여행 2026. 1. 5. 温泉！", same},
        {"link", "[pay](/evil)", R"(\[pay\](/evil))", same},
        {"link away", "[pay](http://evil)", "`[pay](http://evil)`", same},
        {"image", "![x](//evil/p.png)", R"(!\[x\](//evil/p\.png))", same},
        {"reference", "[a]: http://evil", R"(\[a\]: `http://evil`)", same},
        {"footnote", "a[^1]", R"(a\[\^1\])", same},
        {"wiki link", "[[x]] ![[y]]", R"(\[\[x\]\] !\[\[y\]\])", same},
        {"html", "<img src=x>&lt;b>", R"(\<img src\=x\>\&lt;b\>)", same},
        {"autolink", "see <http://evil> now", "see `<http://evil>` now", same},
        {"addresses", "HTTPS://evil wWw.evil mailto:a@b.c", "`HTTPS://evil` `wWw.evil` `mailto:a@b.c`", same},
        {"address with ticks", "`http://a``b", "``` `http://a``b ```", same},
        {"address in a sentence", "(http://a)입니다 *b*", R"(`(http://a)입니다` \*b\*)", same},
        {"name of a host", "evil.com e.g. 1.5 v.2", R"(evil\.com e\.g. 1.5 v.2)", same},
        {"heading", "# big #", R"(\# big \#)", same},
        {"emphasis", "*a* __b__ ~~c~~ ==d==", R"(\*a\* \_\_b\_\_ \~\~c\~\~ \=\=d\=\=)", same},
        {"code", "`rm` ``x``", R"(\`rm\` \`\`x\`\`)", same},
        {"fence", "```html", R"(\`\`\`html)", same},
        {"tilde fence", "~~~", R"(\~\~\~)", same},
        {"list", "- a", R"(\- a)", same},
        {"plus list", "+ a", R"(\+ a)", same},
        {"numbers", "2026. a", R"(2026\. a)", same},
        {"bracket numbers", "12) a", R"(12\) a)", same},
        {"task", "- [x] a", R"(\- \[x\] a)", same},
        {"quote", "> a", R"(\> a)", same},
        {"alert", "[!NOTE]", R"(\[!NOTE\])", same},
        {"break", "---", R"(\---)", same},
        {"table", "a|b", R"(a\|b)", same},
        {"delimiters", ":-", R"(\:-)", same},
        {"mathematics", "$x^2$", R"(\$x\^2\$)", same},
        {"attributes", "a {#id .c}", R"(a \{\#id .c\})", same},
        {"emoji name", ":smile:", R"(\:smile:)", same},
        {"backslashes", R"(a\*b\)", R"(a\\\*b\\)", same},
        {"entity", "&copy; &#35;", R"(\&copy; \&\#35;)", same},
        {"escape sequence", "a\x1b[31mb\x07", "ab", same},
        {"no utf-8", "a\xff", "a?", same},
        {"empty", "", "", ">"},
        {"blanks", " \t ", "", ">"},
        {"indented", "    code", "code", "> &nbsp;&nbsp;&nbsp;&nbsp;code"},
        {"tab", "\t# x", R"(\# x)", R"(> &nbsp;&nbsp;&nbsp;&nbsp;\# x)"},
        {"underlined", "a\n===\nb\n---", R"(a \=\=\= b ---)", "> a  \n> \\=\\=\\=  \n> b  \n> \\---"},
        {"paragraphs", "a\n\n- b  \nc\n", "a  - b   c", "> a\n>\n> \\- b  \n> c\n>"},
        {"leaves the quote", "a\n\n\n# b", R"(a   \# b)", "> a\n>\n>\n> \\# b"},
        {"line ends", "a\r\nb\rc\u2028# d\u0085- e", R"(a b c \# d - e)", "> a  \n> b  \n> c  \n> \\# d  \n> \\- e"},
        {"table rows", "a\n:-", "a :-", "> a  \n> \\:-"},
    });
    for (const Case& one : cases) {
        EXPECT_EQ(markdown_line(one.written), one.line) << one.what;
        EXPECT_EQ(markdown_quote(one.written), one.quote == same ? "> " + std::string(one.line) : one.quote)
            << one.what;
    }
}

TEST(Markdown, FencesCodeByMoreThanItHolds)
{
    EXPECT_EQ(markdown_code("Q29udmVy=="), "`Q29udmVy==`");
    EXPECT_EQ(markdown_code("a`b``c"), "```a`b``c```");
    EXPECT_EQ(markdown_code("`"), "`` ` ``");
    EXPECT_EQ(markdown_code("a\n\n# b"), "`a  # b`");
}

// Whatever stands beside what: each sign that could begin something has a backslash of its own in front.
TEST(Markdown, LeavesNoSignUnescapedInAnyMixture)
{
    const std::vector<std::string> parts{"\\", "`", "*", "_", "[", "]", "(", ")", "<", ">",  "&",  "!",  "|", "~",
                                         "#",  "-", "+", "=", ":", ".", "1", "a", " ", "\t", "\n", "\r", "여"};
    std::mt19937 dice(20260105);
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (auto left = dice() % 12; left > 0; --left) text += parts[dice() % parts.size()];
        const std::string quote = markdown_quote(text);
        bool escaped = false, fresh = true;
        for (std::size_t at = 0; at < quote.size(); ++at) {
            const char c = quote[at];
            if (fresh) {
                ASSERT_EQ(c, '>') << text; // no line but in the quotation
                fresh = false, at += at + 1 < quote.size() && quote[at + 1] == ' ' ? 1 : 0;
            } else if (c == '\n') {
                ASSERT_FALSE(escaped) << text;
                fresh = true;
            } else if (!escaped && quote.compare(at, 6, "&nbsp;") == 0) {
                at += 5;
            } else if (!escaped && c == '\\') {
                escaped = true;
                continue;
            } else {
                ASSERT_TRUE(escaped || std::string_view("`*_[]<>&|~#=").find(c) == std::string_view::npos) << quote;
            }
            escaped = false;
        }
        ASSERT_FALSE(escaped) << text;
    }
}

} // namespace
} // namespace alli::cache
