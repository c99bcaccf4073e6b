// SPDX-License-Identifier: Apache-2.0
#include "sandbox/journal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::sandbox {
namespace {

// A sandbox may run for days: beyond this the oldest are forgotten.
constexpr std::size_t remembered_requests = 20'000;
constexpr std::size_t remembered_writes = 100'000;
constexpr std::size_t remembered_body = 64 * 1024;

} // namespace

void Journal::saw(RequestRecord record)
{
    const auto found = counts_.find(record.operation);
    if (found == counts_.end())
        counts_.emplace(record.operation, 1);
    else
        ++found->second;
    if (record.body.size() > remembered_body) record.body.resize(remembered_body);
    requests_.push_back(std::move(record));
    if (requests_.size() > remembered_requests) requests_.pop_front();
}

void Journal::wrote(std::string_view operation, std::string_view conversation_id, std::string_view body)
{
    std::string what = fmt::format("{}\n{}\n{}", operation, conversation_id, body);
    const int repeats = equal_writes_[std::move(what)]++;
    writes_.push_back({std::string{operation}, std::string{conversation_id}, std::string{body}, repeats});
    if (writes_.size() > remembered_writes) writes_.pop_front();
}

void Journal::clear()
{
    requests_.clear();
    writes_.clear();
    counts_.clear();
    equal_writes_.clear();
}

std::size_t Journal::count(std::string_view operation) const
{
    if (operation == "*") {
        std::size_t all = 0;
        for (const auto& [name, count] : counts_) all += count;
        return all;
    }
    const auto found = counts_.find(operation);
    return found == counts_.end() ? 0 : found->second;
}

// Requests are remembered as they were answered: those that took their time are out of order.
std::size_t Journal::busiest(std::chrono::nanoseconds span, std::string_view operation) const
{
    std::vector<std::chrono::steady_clock::time_point> times;
    for (const RequestRecord& request : requests_)
        if (operation == "*" || request.operation == operation) times.push_back(request.at);
    std::sort(times.begin(), times.end());
    std::size_t most = 0, first = 0;
    for (std::size_t last = 0; last < times.size(); ++last) {
        while (times[last] - times[first] >= span) ++first;
        most = std::max(most, last - first + 1);
    }
    return most;
}

} // namespace alli::sandbox
