// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/own_parameters.hpp"

#include "alli/error.hpp"
#include "alli/nearest.hpp"

#include <algorithm>

namespace alli::proxy {

void require_known(const Parameters& parameters, std::span<const std::string_view> names, std::string_view what)
{
    for (const Parameter& parameter : parameters) {
        if (std::find(names.begin(), names.end(), parameter.name) != names.end()) continue;
        const std::string_view nearest = find_nearest(parameter.name, names);
        throw Error(Fault::usage,
                    nearest.empty() ? fmt::format("{} takes {}", what, fmt::join(names, ", "))
                                    : fmt::format("did you mean {}?", nearest),
                    "a parameter is none of {}", what);
    }
}

Zone read_zone(const Parameters& parameters, const Zone& usual)
{
    const std::string name = find_parameter(parameters, "tz").value_or("");
    return name.empty() ? usual : Zone::load(name);
}

std::vector<std::string> read_all(const Parameters& parameters, std::string_view name)
{
    std::vector<std::string> values;
    for (const Parameter& parameter : parameters)
        if (parameter.name == name && !parameter.value.empty()) values.push_back(parameter.value);
    return values;
}

} // namespace alli::proxy
