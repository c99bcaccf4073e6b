// SPDX-License-Identifier: Apache-2.0
// The power is cut after a call of the disk, in five ways to lose what was not synced; then the program opens what is
// left. ALLI_POWERCUT_SECONDS (60, of all workloads), or ALLI_POWERCUT_CUTS; ALLI_SEED.
#include "tests/powercut/after_cut.hpp"
#include "tests/powercut/budget.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace alli::powercut {
namespace {

constexpr std::size_t most_told = 3;

class PowerCut : public testing::TestWithParam<Workload> {
  protected:
    static void SetUpTestSuite() { use_memory(); }

    PowerCut() : budget_("ALLI_POWERCUT_SECONDS", 60, "ALLI_POWERCUT_CUTS") {}

    void run_workload()
    {
        GetParam().prepare(stage_);
        stage_.record();
        GetParam().run(stage_);
        stage_.stop_recording();
        EXPECT_EQ(stage_.broken, "");
        EXPECT_EQ(stage_.gave_up, 0);
    }

    // Each point once before any comes again; some of them in one pass over the log.
    void cut_everywhere()
    {
        std::vector<std::size_t> points = shuffled(stage_.log.size() + 1);
        constexpr std::size_t batch = 16;
        for (std::size_t at = 0; !budget_.is_spent(tally_.cuts) && told_ < most_told; at += batch) {
            if (at >= points.size()) {
                if (!budget_.counts()) break;
                points = shuffled(stage_.log.size() + 1), at = 0;
            }
            std::vector<std::size_t> some(points.begin() + static_cast<std::ptrdiff_t>(at),
                                          points.begin() +
                                              static_cast<std::ptrdiff_t>(std::min(points.size(), at + batch)));
            std::sort(some.begin(), some.end());
            cut_at(some);
        }
    }

    void tell() const
    {
        fmt::print("{}: {} calls of the disk, {} commits of the outbox and {} of the mirror; {} cuts, {} openings, {}"
                   " checks; seed {}\n",
                   GetParam().name, stage_.log.size(), stage_.outbox.size() - 1, stage_.mirror.size() - 1, tally_.cuts,
                   tally_.openings, tally_.checks, chance_.seed_);
        RecordProperty("cuts", std::to_string(tally_.cuts));
    }

    Stage stage_;
    Tally tally_;

  private:
    std::vector<std::size_t> shuffled(std::size_t count)
    {
        std::vector<std::size_t> all(count);
        std::iota(all.begin(), all.end(), std::size_t{0});
        for (std::size_t n = count; n > 1; --n) std::swap(all[n - 1], all[chance_.random_.below(n)]);
        return all;
    }

    void cut_at(const std::vector<std::size_t>& points)
    {
        support::DiskModel disk = stage_.disk.copy();
        std::size_t calls = 0;
        for (const std::size_t point : points) {
            for (; calls < point; ++calls) disk.apply(stage_.log[calls]);
            for (const support::Loss loss : support::losses) look_after(disk, point, loss);
            if (budget_.is_spent(tally_.cuts) || told_ >= most_told) return;
        }
    }

    void look_after(const support::DiskModel& disk, std::size_t point, support::Loss loss)
    {
        const support::TempDir left;
        disk.write_remains(left.path(), loss, chance_.random_);
        ++tally_.cuts;
        const auto wrong = refute_remains(left.path(), stage_, GetParam(), point, tally_);
        if (!wrong) return;
        ++told_;
        ADD_FAILURE() << *wrong << "\n  after call " << point << " of " << stage_.log.size() << " (" << name_last(point)
                      << "), lost: " << name_of(loss) << ", seed " << chance_.seed_;
    }

    std::string name_last(std::size_t point) const
    {
        if (point == 0) return "none yet";
        const support::LoggedCall& call = stage_.log[point - 1];
        return fmt::format("{} of {}", name_of(call.kind), call.path);
    }

    Budget budget_;
    Chance chance_;
    std::size_t told_ = 0;
};

TEST_P(PowerCut, LeavesEveryAcknowledgedWriteAndAStateThatTheMirrorHad)
{
    run_workload();
    cut_everywhere();
    tell();
    EXPECT_GT(tally_.openings, 0);
}

INSTANTIATE_TEST_SUITE_P(Of, PowerCut, testing::ValuesIn(workloads().begin(), workloads().end()),
                         [](const auto& one) { return one.param.name; });

} // namespace
} // namespace alli::powercut
