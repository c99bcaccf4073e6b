// SPDX-License-Identifier: Apache-2.0
#include "sandbox/journal.hpp"

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
    writes_.push_back({std::string{operation}, std::string{conversation_id}, std::string{body}});
    if (writes_.size() > remembered_writes) writes_.pop_front();
}

void Journal::clear()
{
    requests_.clear();
    writes_.clear();
    counts_.clear();
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

} // namespace alli::sandbox
