// SPDX-License-Identifier: Apache-2.0
// The whole way: a sandbox, the real daemon that mirrors it, and every answer of the one held against the other's; then
// the sandbox goes away and everything is read again.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/comparison.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using testing::IsEmpty;

/// Mirrors what `options` make, compares online and offline, and returns how many chats there were.
static Truth mirror_and_compare(const sandbox::Options& options, const std::vector<int>& page_sizes)
{
    sandbox::Sandbox upstream(options);
    Truth truth(upstream, page_sizes);
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();

    upstream.clear_log();
    EXPECT_THAT(truth.differences(daemon.port), IsEmpty());
    EXPECT_EQ(upstream.request_count("getConversation"), 0U) << "the answers must come from the mirror";
    upstream.stop();
    EXPECT_THAT(truth.differences(daemon.port), IsEmpty()) << "offline";
    EXPECT_EQ(daemon.stop(), 0);
    return truth;
}

struct Shape {
    sandbox::TimeStyle time;
    sandbox::CursorKind cursor;
    bool inclusive;
    int embedded;
};

static sandbox::Options options_of(const Shape& shape)
{
    sandbox::Options options;
    options.categories_hold = sandbox::CategoriesHold::ids; // as filters do
    options.time_style = shape.time;
    options.cursor = shape.cursor;
    options.bounds_inclusive = shape.inclusive;
    options.embedded_chats = shape.embedded;
    return options;
}

static std::vector<Shape> every_shape()
{
    using sandbox::CursorKind, sandbox::TimeStyle;
    std::vector<Shape> shapes;
    for (const TimeStyle time : {TimeStyle::milliseconds_fraction, TimeStyle::milliseconds, TimeStyle::seconds})
        for (const CursorKind cursor : {CursorKind::key, CursorKind::position})
            for (const bool inclusive : {false, true})
                for (const int embedded : {0, 1, 20}) shapes.push_back({time, cursor, inclusive, embedded});
    return shapes;
}

static std::string to_string(const Shape& shape)
{
    constexpr std::array times{"Fraction", "Milliseconds", "Seconds"};
    return fmt::format("{}{}{}Embedding{}", times[static_cast<std::size_t>(shape.time)],
                       shape.cursor == sandbox::CursorKind::key ? "ByKey" : "ByPosition",
                       shape.inclusive ? "Inclusive" : "Exclusive", shape.embedded);
}

static std::string name_of(const testing::TestParamInfo<Shape>& info)
{
    return to_string(info.param);
}

static void PrintTo(const Shape& shape, std::ostream* out) // found by the test framework
{
    *out << to_string(shape);
}

class EveryShape : public testing::TestWithParam<Shape> {};

TEST_P(EveryShape, OfUpstreamIsMirroredFieldForField)
{
    sandbox::Options options = options_of(GetParam());
    options.conversations = 200;
    options.empty_pages = GetParam().embedded == 1;
    mirror_and_compare(options, {1, 7, 50});
}

INSTANTIATE_TEST_SUITE_P(Scenario, EveryShape, testing::ValuesIn(every_shape()), name_of);

static std::string corpus()
{
    return std::string(ALLI_SOURCE) + "/../shared/data/dialogues.jsonl.gz";
}

class RealDialogues : public testing::TestWithParam<Shape> {};

TEST_P(RealDialogues, AreMirroredOneAndAll)
{
    sandbox::Options options = options_of(GetParam());
    const bool real = std::filesystem::exists(corpus());
    if (real)
        options.corpus = corpus();
    else
        options.conversations = 1000;
    const Truth truth = mirror_and_compare(options, {50});
    if (!real) GTEST_SKIP() << "no real dialogues here: 1,000 of the sandbox's own were compared instead";
    EXPECT_EQ(truth.conversations(), 5068U);
    EXPECT_EQ(truth.chats(), 50079U);
}

INSTANTIATE_TEST_SUITE_P(
    Scenario, RealDialogues,
    testing::Values(Shape{sandbox::TimeStyle::milliseconds_fraction, sandbox::CursorKind::key, false, 20},
                    Shape{sandbox::TimeStyle::seconds, sandbox::CursorKind::position, true, 0},
                    Shape{sandbox::TimeStyle::milliseconds, sandbox::CursorKind::position, false, 1}),
    name_of);

} // namespace alli::scenario
