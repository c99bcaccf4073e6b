// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/unsupported_parameters.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

// It comes from whoever sends a request, and goes to a terminal.
std::string printable(std::string_view name)
{
    std::string text(name.substr(0, UnsupportedParameters::longest_name));
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f || c == '`'; }, '?');
    return text;
}

bool is_forgotten(const UnsupportedParameters::Count& count, Instant now)
{
    return now - count.last >= UnsupportedParameters::forgotten || now < count.since;
}

} // namespace

UnsupportedParameters::UnsupportedParameters() : table_(std::make_shared<const Table>()) {}

void UnsupportedParameters::note(std::string_view name, Instant now)
{
    const std::string shown = printable(name);
    auto known = table_.load();
    for (bool swapped = false; !swapped;) {
        auto next = std::make_shared<Table>(*known);
        std::erase_if(*next, [now](const Count& count) { return is_forgotten(count, now); });
        auto row = std::find_if(next->begin(), next->end(), [&](const Count& count) { return count.name == shown; });
        if (row == next->end() && next->size() >= most_names) return;
        if (row == next->end()) row = next->insert(next->end(), Count{shown, 0, now, now});
        ++row->reads;
        row->last = std::max(row->last, now);
        swapped = table_.compare_exchange_weak(known, std::shared_ptr<const Table>(std::move(next)));
    }
}

std::vector<UnsupportedParameters::Count> UnsupportedParameters::find_frequent(Instant now) const
{
    std::vector<Count> frequent;
    for (const Count& count : *table_.load())
        if (count.reads >= often && !is_forgotten(count, now)) frequent.push_back(count);
    return frequent;
}

} // namespace alli::proxy
