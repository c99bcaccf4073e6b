// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/request_metrics.hpp"

#include <algorithm>

namespace alli::proxy {
Meters::Meters() : cells_(operation_names.size() * origin_names.size()) {}

void Meters::count(OperationId operation, const Response& response, std::chrono::nanoseconds took) noexcept
{
    const ResponseOrigin origin = response.cache ? response.cache->origin : ResponseOrigin::none;
    Cell& cell = cells_[static_cast<std::size_t>(operation) * origin_names.size() + static_cast<std::size_t>(origin)];
    cell.statuses[static_cast<std::size_t>(std::clamp(response.status / 100, 1, 5))].add();
    cell.time.observe(took);
}

std::size_t Meters::refusal_slot(int status) noexcept
{
    const auto* found = std::find(refusal_statuses.begin(), refusal_statuses.end() - 1, status);
    return static_cast<std::size_t>(found - refusal_statuses.begin());
}

RequestMetrics::RequestMetrics(std::size_t loops, const Guard& guard) : guard_(guard)
{
    for (std::size_t i = 0; i < loops; ++i) meters_.push_back(std::make_unique<Meters>());
}

std::map<std::pair<std::string_view, std::string_view>, RequestMetrics::Row> RequestMetrics::requests() const
{
    std::map<std::pair<std::string_view, std::string_view>, Row> sums;
    for (const auto& meters : meters_)
        for (std::size_t operation = 0; operation < operation_names.size(); ++operation)
            for (std::size_t origin = 0; origin < origin_names.size(); ++origin) {
                const Meters::Cell& cell = meters->cell(operation, origin);
                const bool used = std::any_of(cell.statuses.begin(), cell.statuses.end(),
                                              [](const Counter& count) { return count.get() > 0; });
                if (!used) continue;
                Row& sum = sums[{operation_names[operation], origin_names[origin]}];
                for (std::size_t i = 0; i < sum.statuses.size(); ++i) sum.statuses[i] += cell.statuses[i].get();
                sum.time += cell.time.read();
            }
    return sums;
}

std::map<int, std::uint64_t> RequestMetrics::refusals() const
{
    std::map<int, std::uint64_t> sums;
    for (const auto& meters : meters_)
        for (std::size_t i = 0; i < Meters::refusal_statuses.size(); ++i)
            if (meters->refusals(i) > 0) sums[Meters::refusal_statuses[i]] += meters->refusals(i);
    return sums;
}

std::uint64_t RequestMetrics::wrong_keys() const noexcept
{
    return guard_.wrong_keys();
}

int RequestMetrics::connections() const
{
    int sum = 0;
    for (const auto& meters : meters_) sum += meters->connections();
    return sum;
}

int RequestMetrics::readers() const
{
    int sum = 0;
    for (const auto& meters : meters_) sum += meters->readers();
    return sum;
}

std::uint64_t RequestMetrics::sign_ins(bool admitted) const
{
    std::uint64_t sum = 0;
    for (const auto& meters : meters_) sum += meters->sign_ins(admitted);
    return sum;
}

} // namespace alli::proxy
