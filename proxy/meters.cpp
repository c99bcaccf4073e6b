// SPDX-License-Identifier: Apache-2.0
#include "proxy/meters.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

constexpr std::string_view cache_name = "alli-mirror";

struct Said {
    std::string_view word;
    Origin origin;
};
constexpr std::array said{Said{"; hit", Origin::hit}, Said{"; fwd=miss", Origin::miss},
                          Said{"; fwd=stale", Origin::stale}, Said{"; fwd=request", Origin::request},
                          Said{"; fwd=bypass", Origin::bypass}};

std::string_view operation_of(std::size_t row)
{
    if (row < routes().size()) return routes()[row].operation;
    return row == routes().size() ? "relay" : "unknown";
}

} // namespace

Origin origin_of(const Response& response) noexcept
{
    for (const Header& header : response.headers) {
        if (header.name != "Cache-Status") continue;
        const std::string_view rest = std::string_view(header.value).substr(cache_name.size());
        const auto* found = std::find_if(said.begin(), said.end(), [&](Said it) { return rest.starts_with(it.word); });
        return found == said.end() ? Origin::none : found->origin;
    }
    return Origin::none;
}

Meters::Meters() : cells_((routes().size() + 2) * origin_names.size()) {}

void Meters::count(const Route* route, bool relayed, const Response& response, std::chrono::nanoseconds took) noexcept
{
    std::size_t row = routes().size() + (relayed ? 0 : 1);
    if (route) row = static_cast<std::size_t>(route - routes().data());
    Cell& cell = cells_[row * origin_names.size() + static_cast<std::size_t>(origin_of(response))];
    cell.statuses[static_cast<std::size_t>(std::clamp(response.status / 100, 1, 5))].add();
    cell.time.observe(took);
}

std::size_t Meters::refusal_slot(int status) noexcept
{
    const auto* found = std::find(refusal_statuses.begin(), refusal_statuses.end() - 1, status);
    return static_cast<std::size_t>(found - refusal_statuses.begin());
}

MeterRack::MeterRack(std::size_t loops, const Guard& guard) : guard_(guard)
{
    for (std::size_t i = 0; i < loops; ++i) meters_.push_back(std::make_unique<Meters>());
}

std::map<std::pair<std::string_view, std::string_view>, MeterRack::Row> MeterRack::requests() const
{
    std::map<std::pair<std::string_view, std::string_view>, Row> sums;
    for (const auto& meters : meters_)
        for (std::size_t row = 0; row < meters->rows(); ++row)
            for (std::size_t origin = 0; origin < origin_names.size(); ++origin) {
                const Meters::Cell& cell = meters->cell(row, origin);
                const bool used = std::any_of(cell.statuses.begin(), cell.statuses.end(),
                                              [](const Counter& count) { return count.get() > 0; });
                if (!used) continue;
                Row& sum = sums[{operation_of(row), origin_names[origin]}];
                for (std::size_t i = 0; i < sum.statuses.size(); ++i) sum.statuses[i] += cell.statuses[i].get();
                sum.time += cell.time.read();
            }
    return sums;
}

std::map<int, std::uint64_t> MeterRack::refusals() const
{
    std::map<int, std::uint64_t> sums;
    for (const auto& meters : meters_)
        for (std::size_t i = 0; i < Meters::refusal_statuses.size(); ++i)
            if (meters->refusals(i) > 0) sums[Meters::refusal_statuses[i]] += meters->refusals(i);
    return sums;
}

std::uint64_t MeterRack::wrong_keys() const noexcept
{
    return guard_.wrong_keys();
}

int MeterRack::connections() const
{
    int sum = 0;
    for (const auto& meters : meters_) sum += meters->connections();
    return sum;
}

int MeterRack::readers() const
{
    int sum = 0;
    for (const auto& meters : meters_) sum += meters->readers();
    return sum;
}

std::uint64_t MeterRack::sign_ins(bool admitted) const
{
    std::uint64_t sum = 0;
    for (const auto& meters : meters_) sum += meters->sign_ins(admitted);
    return sum;
}

} // namespace alli::proxy
