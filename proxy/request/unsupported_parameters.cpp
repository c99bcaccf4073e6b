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

void UnsupportedParameters::note(std::string_view name, Instant now)
{
    const std::string shown = printable(name);
    table_.update([&](Table& table) {
        std::erase_if(table, [now](const Count& count) { return is_forgotten(count, now); });
        auto row = std::find_if(table.begin(), table.end(), [&](const Count& count) { return count.name == shown; });
        if (row == table.end() && table.size() >= most_names) return;
        if (row == table.end()) row = table.insert(table.end(), Count{shown, 0, now, now});
        ++row->reads;
        row->last = std::max(row->last, now);
    });
}

std::vector<UnsupportedParameters::Count> UnsupportedParameters::find_frequent(Instant now) const
{
    std::vector<Count> frequent;
    const auto table = table_.load();
    for (const Count& count : *table)
        if (count.reads >= often && !is_forgotten(count, now)) frequent.push_back(count);
    return frequent;
}

} // namespace alli::proxy
