// SPDX-License-Identifier: Apache-2.0
// A call of the disk fails, once or from then on: what is acknowledged all the same is there afterwards, also when the
// power is cut then. ALLI_DISK_FAULT_SECONDS (30, of all workloads), or ALLI_DISK_FAULTS; ALLI_SEED.
#include "tests/powercut/budget.hpp"

#include "alli/error.hpp"
#include "cache/rows/problems.hpp"

#include <gtest/gtest.h>

namespace alli::powercut {
namespace {

using support::ComingCall;
using support::DiskFault;

struct Plan {
    std::int64_t at = 0; // the call that fails, among
    bool syncs = false;  // the syncs alone, or all
    DiskFault fault = DiskFault::none;
    bool lasts = false; // all that come after it, too
};

DiskFault fitting(ComingCall::Kind kind, DiskFault wanted)
{
    if (kind == ComingCall::Kind::write) return wanted;
    return wanted == DiskFault::short_write ? DiskFault::io : wanted;
}

class DiskFaults : public testing::TestWithParam<Workload> {
  protected:
    static void SetUpTestSuite() { use_memory(); }

    DiskFaults() : budget_("ALLI_DISK_FAULT_SECONDS", 30, "ALLI_DISK_FAULTS") { GetParam().prepare(prepared_); }

    void count_calls()
    {
        Stage stage;
        run(stage, {});
        calls_ = asked_, syncs_ = asked_syncs_;
    }

    // A sync is seldom, and the call that matters most.
    Plan draw()
    {
        constexpr std::array faults{DiskFault::io, DiskFault::no_room, DiskFault::short_write};
        Plan plan;
        plan.syncs = chance_.random_.below(3) == 0;
        plan.at =
            static_cast<std::int64_t>(chance_.random_.below(static_cast<std::uint64_t>(plan.syncs ? syncs_ : calls_)));
        plan.fault = faults[chance_.random_.below(faults.size())];
        plan.lasts = chance_.random_.below(2) == 0;
        return plan;
    }

    void run(Stage& stage, const Plan& plan)
    {
        stage.goes_on = true;
        stage.begin_from(prepared_);
        stage.record();
        asked_ = 0, asked_syncs_ = 0, hit_at_ = 0, hit_damaged_file_ = false, hit_.clear();
        stage.vfs().fail_where([&](const ComingCall& call) {
            const bool sync = call.kind == ComingCall::Kind::sync;
            const std::int64_t all = asked_++, of_syncs = sync ? asked_syncs_++ : -1;
            const std::int64_t number = plan.syncs ? of_syncs : all;
            if (plan.fault == DiskFault::none || number < plan.at || (number > plan.at && !plan.lasts))
                return DiskFault::none;
            if (hit_.empty()) hit_at_ = stage.calls();
            const bool reads = call.kind == ComingCall::Kind::read || call.kind == ComingCall::Kind::open;
            if (hit_.empty()) hit_damaged_file_ = reads && call.path.starts_with("outbox.db") && GetParam().tells;
            if (hit_.empty()) hit_ = fmt::format("{} {}", static_cast<int>(call.kind), call.path);
            return fitting(call.kind, plan.fault);
        });
        try {
            GetParam().run(stage);
        } catch (const Error&) {
            ++stage.refused;
        }
        stage.close();
        stage.stop_recording();
    }

    void look_after(const Stage& stage, const Plan& plan)
    {
        const std::size_t all = stage.log.size(), since = std::min(hit_at_, all);
        cut_at(since + chance_.random_.below(all - since + 1), support::Loss::all_unsynced, stage, plan);
        cut_at(all, support::Loss::all_unsynced, stage, plan);
        cut_at(all, support::Loss::nothing, stage, plan);
        report(refute(stage.directory(), stage, all), stage, plan, "none, the process ended");
        ++faults_;
        refused_ += stage.refused, gave_up_ += stage.gave_up;
    }

    Budget budget_;
    Chance chance_;
    Stage prepared_;
    std::int64_t calls_ = 0, syncs_ = 0;
    std::int64_t faults_ = 0, openings_ = 0, checks_ = 0, refused_ = 0, gave_up_ = 0;
    std::size_t told_ = 0;

  private:
    void cut_at(std::size_t calls, support::Loss loss, const Stage& stage, const Plan& plan)
    {
        support::DiskModel disk = stage.disk.copy();
        for (std::size_t n = 0; n < calls; ++n) disk.apply(stage.log[n]);
        const support::TempDir left;
        disk.write_remains(left.path(), loss, chance_.random_);
        const bool ended = calls == stage.log.size();
        report(refute(left.path(), stage, calls), stage, plan,
               fmt::format("{}{}", name_of(loss), ended ? "" : fmt::format(", cut after {} calls", calls)));
    }

    void report(const std::optional<std::string>& wrong, const Stage& stage, const Plan& plan, std::string_view lost)
    {
        if (!wrong) return;
        ++told_;
        ADD_FAILURE() << *wrong << (plan.syncs ? "\n  sync " : "\n  call ") << plan.at
                      << (plan.lasts ? " and all later ones" : "") << " failed (kind and file: " << hit_ << "), fault "
                      << static_cast<int>(plan.fault) << ", unsynced lost: " << lost
                      << ", refused steps: " << stage.refused << ", seed " << chance_.seed_;
    }

    std::optional<std::string> refute(const std::string& directory, const Stage& stage, std::size_t calls)
    {
        try {
            cache::Store store(stage.options_for(directory));
            ++openings_;
            if (!GetParam().tells && !GetParam().reads_all)
                for (const std::string& damage : store.damage()) return "the opening says: " + damage;
            return refute_store(directory, store, stage, calls);
        } catch (const std::exception& error) {
            return fmt::format("it cannot be opened: {}", error.what());
        }
    }

    std::optional<std::string> refute_store(const std::string& directory, cache::Store& store, const Stage& stage,
                                            std::size_t calls)
    {
        for (const bool outbox : {false, true}) {
            std::string said;
            const auto check = [&](cache::Reader& db) {
                for (const cache::Row row : db.query("PRAGMA quick_check(1)")) said = row.text(0);
            };
            outbox ? store.read_outbox(check) : store.read(check);
            if (said != "ok") return fmt::format("{}: {}", outbox ? "outbox.db" : "mirror.db", said);
        }
        checks_ += 3;
        if (const auto wrong = stage.refute_promises(store, calls); wrong && !is_lost_and_told(store)) return wrong;
        if (const auto wrong = stage.refute_coverage(store)) return wrong;
        for (const Stage::Claimed& claim : stage.claims) {
            if (claim.calls > calls) continue;
            ++checks_;
            if (const auto wrong = claim.holds(directory, store)) return wrong;
        }
        return std::nullopt;
    }

    // What cannot be read of a damaged outbox stays in the file that is set aside, and a problem names that.
    bool is_lost_and_told(cache::Store& store) const
    {
        if (!hit_damaged_file_) return false;
        return store.read([](cache::Reader& db) { return cache::find_problem(db, "outbox.db was damaged"); })
            .has_value();
    }

    bool hit_damaged_file_ = false;
    std::int64_t asked_ = 0, asked_syncs_ = 0;
    std::size_t hit_at_ = 0; // calls in the log when the first one failed
    std::string hit_;
};

TEST_P(DiskFaults, AcknowledgeNothingThatIsLost)
{
    count_calls();
    constexpr std::int64_t enough = 300; // faults, for one of them to be noticed
    while ((!budget_.is_spent(faults_) || (refused_ == 0 && faults_ < enough)) && told_ < 3) {
        const Plan plan = draw();
        Stage stage;
        run(stage, plan);
        look_after(stage, plan);
    }
    fmt::print("{}: {} calls; {} faults, {} steps refused, {} times given up; {} openings, {} checks; seed {}\n",
               GetParam().name, calls_, faults_, refused_, gave_up_, openings_, checks_, chance_.seed_);
    EXPECT_GT(refused_, 0) << "no fault was noticed";
}

INSTANTIATE_TEST_SUITE_P(Of, DiskFaults, testing::ValuesIn(workloads().begin(), workloads().end()),
                         [](const auto& one) { return one.param.name; });

} // namespace
} // namespace alli::powercut
