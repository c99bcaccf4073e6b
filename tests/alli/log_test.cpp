// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "alli/log.hpp"
#include "alli/log_limit.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

namespace alli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// What is logged meanwhile, a line each.
class Caught {
  public:
    explicit Caught(LogStyle style, spdlog::level::level_enum level = spdlog::level::debug)
        : before_(spdlog::default_logger())
    {
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_);
        auto logger = std::make_shared<spdlog::logger>("caught", std::move(sink));
        logger->set_pattern("%v");
        logger->set_level(level);
        spdlog::set_default_logger(std::move(logger));
        set_log_style(style);
    }
    ~Caught()
    {
        set_log_style(LogStyle::plain);
        spdlog::set_default_logger(before_);
    }
    std::string text() const { return lines_.str(); }
    nlohmann::json json() const { return nlohmann::json::parse("{" + text() + "}"); }

  private:
    std::ostringstream lines_;
    std::shared_ptr<spdlog::logger> before_;
};

TEST(Log, WritesASentenceAndTheFieldsThatItDoesNotSay)
{
    const Caught log(LogStyle::text);
    log_event<Event::upstream_lost>(std::string_view("no such host"), std::string_view("look at DNS"));
    EXPECT_EQ(log.text(), "upstream_lost: no such host hint=\"look at DNS\"\n");
}

TEST(Log, LeavesOutWhatIsEmpty)
{
    const Caught log(LogStyle::text);
    log_event<Event::reloaded>(std::string_view(), 0);
    EXPECT_EQ(log.text(), "reloaded: the settings were read again tokens=0\n");
}

TEST(Log, WritesJsonWithEveryField)
{
    const Caught log(LogStyle::json);
    log_event<Event::upstream_call>(std::string_view("list"), std::string_view("success"), 200, 1.5,
                                    std::string_view("id-1"));
    const nlohmann::json line = log.json();
    EXPECT_EQ(line["event"], "upstream_call");
    EXPECT_EQ(line["status"], 200);
    EXPECT_EQ(line["ms"], 1.5);
    EXPECT_EQ(line["request_id"], "id-1");
}

TEST(Log, KeepsALineALineWhateverAValueHolds)
{
    const std::string_view hostile = "a\nforged: line\x1b[2J \"x\" =\xff";
    const auto write = [&] { log_event<Event::upstream_lost>(hostile, hostile); };
    {
        const Caught log(LogStyle::text);
        write();
        const std::string text = log.text();
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
        EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    }
    const Caught log(LogStyle::json);
    write();
    EXPECT_THAT(log.json()["error"].get<std::string>(), HasSubstr("a\nforged: line\x1b[2J"));
}

TEST(Log, WritesIdsAsKeyedHashes)
{
    set_log_key("one key");
    const std::string under_one = hashed_id("Q29udmVy");
    EXPECT_EQ(under_one, hashed_id("Q29udmVy"));
    EXPECT_EQ(under_one.size(), 12U);
    EXPECT_EQ(hashed_id(""), "");
    const Caught log(LogStyle::text);
    log_event<Event::write_delivered>(7, 200, std::string_view("Q29udmVy"), std::string_view("id-1"));
    EXPECT_EQ(log.text(), "write_delivered entry=7 status=200 conversation=" + under_one + " request_id=id-1\n");
    set_log_key("another");
    EXPECT_NE(under_one, hashed_id("Q29udmVy"));
}

TEST(Log, CountsRepeatsThatItDoesNotWrite)
{
    const Caught log(LogStyle::text, spdlog::level::info);
    for (int i = 0; i < 1000; ++i) log_event<Event::no_socket>(std::string_view("again"));
    const std::string text = log.text();
    const auto lines = std::count(text.begin(), text.end(), '\n');
    EXPECT_GE(lines, 10);
    EXPECT_LE(lines, 100); // a slow machine takes seconds for this
    log_repeats(true);
    EXPECT_THAT(log.text(), HasSubstr("more of no_socket were not written"));
}

TEST(Log, TellsRepeatsApartByTheirCause)
{
    const Caught log(LogStyle::text, spdlog::level::info);
    for (int i = 0; i < 1000; ++i) log_event<Event::request_refused>(std::string_view("key"), 401, std::string_view());
    log_event<Event::request_refused>(std::string_view("host"), 421, std::string_view());
    EXPECT_THAT(log.text(), HasSubstr("a request was not let in: host status=421"));
    log_repeats(true);
}

TEST(Log, QuotesNothingThatAParserRead)
{
    try {
        const auto read = nlohmann::json::parse(R"({"message":"my secret words)");
        FAIL() << read.dump();
    } catch (const std::exception&) {
        EXPECT_THAT(reason_of(std::current_exception()), Not(HasSubstr("secret")));
    }
    const auto ours = std::make_exception_ptr(Error(Fault::io, "", "the disk is gone"));
    EXPECT_EQ(reason_of(ours), "the disk is gone");
}

TEST(LogLimit, LetsABurstThroughAndThenItsRate)
{
    LogLimit limit;
    limit.set(3, 2); // three at once, then two a second
    const LogLimit::Steady start{1h};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.pass(start), 0U);
    EXPECT_EQ(limit.pass(start), std::nullopt);
    EXPECT_EQ(limit.pass(start + 499ms), std::nullopt);
    EXPECT_EQ(limit.pass(start + 500ms), 2U) << "says how many were held back";
    EXPECT_EQ(limit.pass(start + 501ms), std::nullopt);
    EXPECT_EQ(limit.take_held(start + 502ms, false), 0U) << "not before one may be written again";
    EXPECT_EQ(limit.take_held(start + 1h, false), 1U);
    EXPECT_EQ(limit.take_held(start + 1h, true), 0U);
}

} // namespace
} // namespace alli
