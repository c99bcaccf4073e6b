// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/parameter_values.hpp"

namespace alli::proxy {

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
