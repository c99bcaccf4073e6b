// SPDX-License-Identifier: Apache-2.0
// Adds up what a filter takes of rollups: by day of a zone and by group, of groups those with the most messages.
#pragma once

#include "cache/insights/insight_filter.hpp"
#include "cache/insights/number_map.hpp"
#include "cache/insights/question_sample.hpp"
#include "cache/insights/rollup_days.hpp"

#include <map>

namespace alli::cache {

struct FigureSum {
    RollupCounts counts;
    Histogram lengths, waits;

    void add(const FigureSum& more);
    Figures finish() const;
};

/// The day of the zone that a time lies in; times that are near each other cost no look at the zone's rules.
class ZoneDays {
  public:
    explicit ZoneDays(const Zone& zone) : zone_(zone) {}
    std::chrono::local_days day_of(Instant when);

  private:
    Zone zone_;
    std::chrono::local_days day_{};
    Instant begin_ = Instant::max(), end_ = Instant::min();
};

class Tabulation {
  public:
    Tabulation(const InsightFilter& filter, const InsightQuery& query);

    void add(const std::vector<RollupPart>& parts);

    const std::map<std::chrono::local_days, FigureSum>& days() const { return days_; }
    FigureSum total() const;
    /// The greatest first.
    const std::vector<std::int64_t>& numbers(InsightGroup group) const;
    const FigureSum& sum_of(std::int64_t number) const { return groups_.at(number); }
    const QuestionSample& questions() const { return questions_; }

  private:
    using Sums = std::vector<FigureSum*>;

    bool shows(InsightGroup group) const { return !by_ || *by_ == group; }
    template <class Take>
    void visit(const RollupPart& part, const Rollup& rollup, const Take& take) const;
    template <class Take>
    void visit_sizes(const RollupPart& part, const Rollup& rollup, const Take& take) const;
    void find_greatest(const std::vector<RollupPart>& parts, const std::vector<Rollup>& rollups);
    void add(const RollupPart& part, const Rollup& rollup);
    void add(const RollupCell& cell, const Sums& sums);
    FigureSum* sum_at(const std::optional<Quarter>& quarter);
    void append_shown(Sums& sums, std::int64_t number);

    const InsightFilter& filter_;
    std::optional<InsightGroup> by_;
    ZoneDays zone_days_;
    std::map<std::chrono::local_days, FigureSum> days_;
    struct QuarterSum {
        Quarter quarter{};
        FigureSum* sum = nullptr;
    };
    std::array<QuarterSum, 128>
        last_sums_; // of days_, each at its quarter's remainder: those of a day have a place each
    FigureSum timeless_;
    std::array<std::vector<std::int64_t>, insight_groups> numbers_;
    std::unordered_map<std::int64_t, FigureSum> groups_; // those that are shown, by their numbers
    NumberMap<FigureSum*> shown_;                        // of groups_
    std::vector<bool> empty_;                            // which of the parts have nothing that is taken
    QuestionSample questions_;
};

} // namespace alli::cache
