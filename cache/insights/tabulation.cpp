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
    std::vector<Rollup> rollups;
    rollups.reserve(parts.size());
    for (const RollupPart& part : parts) rollups.emplace_back(part.stored);
    find_greatest(parts, rollups);
    for (std::size_t n = 0; n < parts.size(); ++n)
        if (!empty_[n]) add(parts[n], rollups[n]);
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

static std::vector<std::int64_t> greatest_of(const NumberMap<std::int64_t>& messages)
{
    constexpr std::ptrdiff_t most = 200;
    std::vector<std::pair<std::int64_t, std::int64_t>> order; // the greatest first
    messages.visit([&](std::int64_t number, std::int64_t of) { order.emplace_back(-of, number); });
    const auto end = order.begin() + std::min(std::ssize(order), most);
    std::partial_sort(order.begin(), end, order.end());
    std::vector<std::int64_t> numbers;
    for (auto one = order.begin(); one != end; ++one) numbers.push_back(one->second);
    return numbers;
}

static std::vector<bool> taken_of(const InsightFilter& filter, const Rollup& rollup)
{
    std::vector<bool> taken;
    taken.reserve(rollup.shared().size());
    for (const auto& groups : rollup.shared()) taken.push_back(filter.takes_shared(groups));
    return taken;
}

/// Calls `take` with what is taken of each row, where that is anything.
template <class Take>
void Tabulation::visit(const RollupPart& part, const Rollup& rollup, const Take& take) const
{
    const std::vector<bool> taken = taken_of(filter_, rollup);
    const bool is_whole = part.is_whole();
    std::vector<RollupCell> cells;
    rollup.visit([&](const RollupRow& row) {
        if (!taken[row.shared] || !filter_.takes(row)) return;
        if (is_whole) return take(row, row.cells);
        const auto counts = [&](const RollupCell& cell) { return part.contains(cell.quarter); };
        cells.clear();
        std::copy_if(row.cells.begin(), row.cells.end(), std::back_inserter(cells), counts);
        if (!cells.empty()) take(row, std::span<const RollupCell>(cells));
    });
}

/// Calls `take` with whose messages are taken, and how many.
template <class Take>
void Tabulation::visit_sizes(const RollupPart& part, const Rollup& rollup, const Take& take) const
{
    if (!part.is_whole())
        return visit(part, rollup, [&](const RollupRow& row, std::span<const RollupCell> cells) {
            std::int64_t messages = 0;
            for (const RollupCell& cell : cells) messages += std::ssize(cell.facts);
            take({row, messages});
        });
    const std::vector<bool> taken = taken_of(filter_, rollup);
    rollup.visit_sizes([&](const RollupSize& size) {
        if (taken[size.shared] && filter_.takes(size)) take(size);
    });
}

// Only of these the histograms are added up: of users there are very many.
void Tabulation::find_greatest(const std::vector<RollupPart>& parts, const std::vector<Rollup>& rollups)
{
    std::array<NumberMap<std::int64_t>, insight_groups> messages;
    const auto add_to = [&](InsightGroup group, std::int64_t number, std::int64_t more) {
        if (shows(group)) messages[static_cast<std::size_t>(group)].at(number) += more;
    };
    std::vector<std::optional<std::int64_t>> of_shared;
    for (std::size_t n = 0; n < parts.size(); ++n) {
        const RollupPart& part = parts[n];
        const Rollup& rollup = rollups[n];
        of_shared.assign(rollup.shared().size(), std::nullopt);
        bool is_empty = true;
        visit_sizes(part, rollup, [&](const RollupSize& size) {
            is_empty = false;
            of_shared[size.shared] = of_shared[size.shared].value_or(0) + size.messages;
            if (size.user != 0) add_to(InsightGroup::user, size.user, size.messages);
        });
        empty_.push_back(is_empty);
        for (std::size_t shared = 0; shared < of_shared.size(); ++shared)
            if (of_shared[shared])
                for (const Membership& member : rollup.shared()[shared])
                    add_to(member.group, member.number, *of_shared[shared]);
    }
    for (std::size_t group = 0; group < insight_groups; ++group) numbers_[group] = greatest_of(messages[group]);
    for (const auto& numbers : numbers_)
        for (const std::int64_t number : numbers) shown_.at(number) = &groups_[number];
}

void Tabulation::add(const RollupPart& part, const Rollup& rollup)
{
    Sums of_shared; // of all lists, one behind the other
    std::vector<std::size_t> begins{0};
    for (const auto& groups : rollup.shared()) {
        for (const Membership& member : groups) append_shown(of_shared, member.number);
        begins.push_back(of_shared.size());
    }
    Sums sums; // of one row, behind a place for the day's
    visit(part, rollup, [&](const RollupRow& row, std::span<const RollupCell> cells) {
        sums.assign(1, nullptr);
        for (std::size_t n = begins[row.shared]; n < begins[row.shared + 1]; ++n) sums.push_back(of_shared[n]);
        if (row.user != 0) append_shown(sums, row.user);
        std::size_t questions = 0, bad_answers = 0;
        for (const RollupCell& cell : cells) {
            sums.front() = sum_at(cell.quarter);
            add(cell, sums);
            questions += cell.facts.size() - cell.answers();
            bad_answers += cell.bad_answers();
        }
        questions_.add(row.conversation, static_cast<std::int64_t>(questions), static_cast<std::int64_t>(bad_answers));
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
    QuarterSum& last = last_sums_[static_cast<std::uint64_t>(quarter->count()) % last_sums_.size()];
    if (last.sum == nullptr || last.quarter != *quarter)
        last = {*quarter, &days_[zone_days_.day_of(Instant{std::chrono::duration_cast<Instant::duration>(*quarter)})]};
    return last.sum;
}

void Tabulation::append_shown(Sums& sums, std::int64_t number)
{
    if (FigureSum* const sum = shown_.find(number)) sums.push_back(sum);
}

} // namespace alli::cache
