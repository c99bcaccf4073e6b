// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/tabulation.hpp"

#include <algorithm>

namespace alli::cache {

void FigureSum::add(const FigureSum& more)
{
    counts.add(more.counts);
    lengths.add(more.lengths);
    waits.add(more.waits);
}

Figures FigureSum::finish() const
{
    Figures done{counts.conversations, counts.messages,          counts.good,  counts.bad,
                 counts.unrated,       counts.without_citations, std::nullopt, std::nullopt};
    done.median_length = lengths.median();
    if (const auto wait = waits.median()) done.median_answer_seconds = *wait / 1000;
    return done;
}

std::chrono::local_days ZoneDays::day_of(Instant when)
{
    if (when >= begin_ && when < end_) return day_;
    const Instant local = when + zone_.offset_at(when);
    day_ = std::chrono::local_days{std::chrono::floor<std::chrono::days>(local).time_since_epoch()};
    begin_ = zone_.start_of(day_);
    end_ = zone_.start_of(day_ + std::chrono::days{1});
    return day_;
}

Tabulation::Tabulation(const InsightFilter& filter, const InsightQuery& query)
    : filter_(filter), by_(query.by), zone_days_(query.zone)
{}

void Tabulation::add(const std::vector<RollupPart>& parts)
{
    find_greatest(parts);
    for (const RollupPart& part : parts) add(part);
}

FigureSum Tabulation::total() const
{
    FigureSum total = timeless_;
    for (const auto& [day, sum] : days_) total.add(sum);
    return total;
}

const std::vector<std::int64_t>& Tabulation::numbers(InsightGroup group) const
{
    return numbers_[static_cast<std::size_t>(group)];
}

/// Calls `take` with what is taken of each row, where that is anything.
template <class Take>
void Tabulation::visit(const RollupPart& part, const Take& take) const
{
    const Rollup rollup(part.stored);
    std::vector<bool> taken;
    for (const auto& groups : rollup.shared()) taken.push_back(filter_.takes_shared(groups));
    std::vector<RollupCell> cells;
    rollup.visit([&](const RollupRow& row) {
        if (!taken[row.shared] || !filter_.takes(row)) return;
        cells.clear();
        for (const RollupCell& cell : row.cells)
            if (part.contains(cell.quarter)) cells.push_back(cell);
        if (!cells.empty()) take(row, rollup.shared()[row.shared], cells);
    });
}

// Only of these the histograms are added up: of users there are very many.
void Tabulation::find_greatest(const std::vector<RollupPart>& parts)
{
    constexpr std::size_t most = 200;
    std::array<std::unordered_map<std::int64_t, std::int64_t>, insight_groups> messages;
    const auto count = [&](InsightGroup group, std::int64_t number, std::int64_t more) {
        if (shows(group)) messages[static_cast<std::size_t>(group)][number] += more;
    };
    for (const RollupPart& part : parts)
        visit(part, [&](const RollupRow& row, const std::vector<Membership>& groups, const auto& cells) {
            std::int64_t more = 0;
            for (const RollupCell& cell : cells) more += std::ssize(cell.facts);
            for (const Membership& member : groups) count(member.group, member.number, more);
            if (row.user != 0) count(InsightGroup::user, row.user, more);
        });
    for (std::size_t group = 0; group < insight_groups; ++group) {
        std::vector<std::pair<std::int64_t, std::int64_t>> order; // the greatest first
        for (const auto& [number, of] : messages[group]) order.emplace_back(-of, number);
        const auto end = order.begin() + std::min(std::ssize(order), std::ptrdiff_t{most});
        std::partial_sort(order.begin(), end, order.end());
        for (auto one = order.begin(); one != end; ++one) numbers_[group].push_back(one->second), groups_[one->second];
    }
}

void Tabulation::add(const RollupPart& part)
{
    std::unordered_map<const void*, Sums> shared; // of each list of groups of the part
    Sums sums;
    visit(part, [&](const RollupRow& row, const std::vector<Membership>& groups, const auto& cells) {
        const auto [known, is_new] = shared.try_emplace(&groups);
        if (is_new)
            for (const Membership& member : groups) append_shown(known->second, member.number);
        sums.assign(1, nullptr); // the day's
        sums.insert(sums.end(), known->second.begin(), known->second.end());
        if (row.user != 0) append_shown(sums, row.user);
        std::int64_t questions = 0, bad_answers = 0;
        for (const RollupCell& cell : cells) {
            sums.front() = sum_at(cell.quarter);
            add(cell, sums);
            questions += std::ssize(cell.facts) - static_cast<std::int64_t>(cell.answers());
            bad_answers += static_cast<std::int64_t>(cell.bad_answers());
        }
        questions_.add(row.conversation, questions, bad_answers);
    });
}

void Tabulation::add(const RollupCell& cell, const Sums& sums)
{
    const RollupCounts counts = cell.counts();
    for (FigureSum* const sum : sums) sum->counts.add(counts);
    for (std::size_t answer = 0; answer < cell.answers(); ++answer) {
        const std::size_t length = cell.length(answer);
        const auto wait = cell.wait(answer);
        for (FigureSum* const sum : sums) {
            sum->lengths.add_to(length, 1);
            if (wait) sum->waits.add_to(*wait, 1);
        }
    }
}

FigureSum* Tabulation::sum_at(const std::optional<Quarter>& quarter)
{
    if (!quarter) return &timeless_;
    const auto [known, is_new] = by_quarter_.try_emplace(quarter->count());
    if (is_new)
        known->second = &days_[zone_days_.day_of(Instant{std::chrono::duration_cast<Instant::duration>(*quarter)})];
    return known->second;
}

void Tabulation::append_shown(Sums& sums, std::int64_t number)
{
    if (const auto found = groups_.find(number); found != groups_.end()) sums.push_back(&found->second);
}

} // namespace alli::cache
