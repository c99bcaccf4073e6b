// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/terminal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <random>
#include <string>
#include <unistd.h>

namespace alli::daemon {

TEST(Terminal, TakesEscapeSequencesOut)
{
    EXPECT_EQ(printable("a\x1b[31mred\x1b[0m"), "ared");
    EXPECT_EQ(printable("\x1b]0;title\x07 text"), " text");
    EXPECT_EQ(printable("\x1b]8;;http://x\x1b\\link"), "link");
    EXPECT_EQ(printable("\x1bPq#0\x1b\\after"), "after");
    EXPECT_EQ(printable("end\x1b"), "end");
    EXPECT_EQ(printable("end\x1b["), "end");
    EXPECT_EQ(printable("\x1b"), "");
}

TEST(Terminal, TakesControlCharactersOutAndKeepsLines)
{
    EXPECT_EQ(printable("a\rb\bc\x7f\x01 d\n\te"), "abc d\n\te");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "31m"); // the one-character CSI
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "ab");
    EXPECT_EQ(printable_line("a\nb\tc"), "a b c");
}

// Its own end of a terminal.
class PseudoTerminal {
  public:
    PseudoTerminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY))
    {
        const bool made = master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0;
        if (made) end = ::open(::ptsname(master_), O_RDWR | O_NOCTTY);
    }
    ~PseudoTerminal()
    {
        for (const int descriptor : {end, master_})
            if (descriptor >= 0) ::close(descriptor);
    }
    PseudoTerminal(const PseudoTerminal&) = delete;
    PseudoTerminal& operator=(const PseudoTerminal&) = delete;

    int end = -1;

  private:
    int master_;
};

TEST(Terminal, TakesEscapesWhereItKnowsThem)
{
    const PseudoTerminal terminal;
    ASSERT_EQ(::isatty(terminal.end), 1);
    const char* before = std::getenv("TERM");
    const std::string kept = before != nullptr ? before : "";
    for (const char* kind : {"xterm-256color", "linux", "vt100"}) {
        ::setenv("TERM", kind, 1);
        EXPECT_TRUE(takes_escapes(terminal.end)) << kind;
    }
    for (const char* kind : {"dumb", ""}) {
        ::setenv("TERM", kind, 1);
        EXPECT_FALSE(takes_escapes(terminal.end)) << kind;
    }
    ::unsetenv("TERM");
    EXPECT_FALSE(takes_escapes(terminal.end));
    if (before != nullptr) ::setenv("TERM", kept.c_str(), 1);
    EXPECT_FALSE(takes_escapes(-1));
}

TEST(Terminal, KeepsEveryScriptAndMarksBrokenBytes)
{
    EXPECT_EQ(printable("여행 温泉 é 👩‍👧"), "여행 温泉 é 👩‍👧");
    EXPECT_EQ(printable("a\xff"
                        "b\xc3"),
              "a?b?");
    EXPECT_EQ(printable("\xed\xa0\x80"), "???"); // half a surrogate
    EXPECT_EQ(printable("\xc0\x9b"), "??");      // ESC, written too long
}

TEST(Terminal, LetsNothingThroughThatActsWhateverCame)
{
    std::mt19937 random(7); // NOLINT: the same bytes every time
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        const auto length = random() % 40;
        for (unsigned i = 0; i < length; ++i)
            text += static_cast<char>(random() % 3 == 0 ? "\x1b[]P\\\x07\x9b\xc2"[random() % 8] : random() % 256);
        const std::string clean = printable(text);
        for (std::size_t i = 0; i < clean.size(); ++i) {
            const auto byte = static_cast<unsigned char>(clean[i]);
            ASSERT_TRUE(byte >= 0x20 || byte == '\n' || byte == '\t') << "seed 7, round " << round;
            ASSERT_NE(byte, 0x7f);
            ASSERT_FALSE(byte == 0xc2 && static_cast<unsigned char>(clean[i + 1]) < 0xa0) << "seed 7, round " << round;
        }
        ASSERT_EQ(printable(clean), clean);
    }
}

TEST(Terminal, ShowsMarksInBoldAndEntitiesAsText)
{
    EXPECT_EQ(snippet_text("a <mark>b</mark> &lt;mark&gt; &amp;lt;", false), "a b <mark> &lt;");
    EXPECT_EQ(snippet_text("<mark>b</mark>", true), "\x1b[1mb\x1b[0m");
    EXPECT_EQ(snippet_text("\x1b[2Jx\ny", true), "x y");
}

TEST(Terminal, SaysTimes)
{
    EXPECT_EQ(say_time(from_rfc3339("2026-01-31T09:30:05.75Z"), Zone()), "2026-01-31 09:30:05 UTC");
    EXPECT_EQ(say_time(std::nullopt), "-");
}

} // namespace alli::daemon
