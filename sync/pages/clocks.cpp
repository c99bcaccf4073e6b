// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/clocks.hpp"

namespace alli::sync {
namespace {

constexpr std::string_view key = "clock";
constexpr std::chrono::minutes quiet{10}; // of several gateways only one may be wrong: it is not the next to answer

std::string in_words(std::chrono::microseconds time)
{
    const auto seconds = std::chrono::round<std::chrono::seconds>(time).count();
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 7'200) return fmt::format("{} min", seconds / 60);
    if (seconds < 172'800) return fmt::format("{} h", seconds / 3'600);
    return fmt::format("{} days", seconds / 86'400);
}

cache::Problem no_date()
{
    cache::Problem problem;
    problem.what = "upstream sends no Date: what changed lately is told by this machine's clock";
    problem.hint = "keep this machine's clock right (NTP); see docs/operations.md, \"Clocks\"";
    return problem;
}

cache::Problem apart(const upstream::ClockReadings& read)
{
    const bool behind = *read.theirs < read.ours;
    const auto difference = behind ? read.ours - *read.theirs : *read.theirs - read.ours;
    cache::Problem problem;
    problem.what =
        fmt::format("upstream's Date says {}, this machine's clock {}: upstream's is {} {}", to_rfc3339(*read.theirs),
                    to_rfc3339(read.ours), in_words(difference), behind ? "behind" : "ahead");
    problem.hint =
        read.ours_is_heeded
            ? "nothing is missed while one of them is right, for the earlier one counts; set this machine's "
              "clock right (NTP), or tell whoever runs upstream's gateway"
            : "this machine's clock lies before this program was built and is not heeded: set it right (NTP)";
    return problem;
}

} // namespace

void Clocks::note(cache::Writer& db, const upstream::ClockReadings& read, const Clock& clock)
{
    std::optional<cache::Problem> problem;
    if (!read.theirs) problem = no_date();
    if (read.theirs && std::chrono::abs(*read.theirs - read.ours) > tolerance_) {
        problem = apart(read);
        differed_at_ = clock.steady();
    }
    if (problem) {
        problem->since = clock.now();
        cache::put_problem(db, key, *problem);
    } else if (!differed_at_ || clock.steady() - *differed_at_ >= quiet) {
        differed_at_.reset();
        cache::clear_problem(db, key);
    }
}

} // namespace alli::sync
