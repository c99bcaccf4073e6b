// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/variables.hpp"

#include "alli/nearest.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace alli::daemon {

static constexpr std::string_view prefix = "ALLI_MIRROR_";

std::vector<std::string> process_variables()
{
    std::vector<std::string> names;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (text.starts_with(prefix)) names.emplace_back(text.substr(0, text.find('=')));
    }
    std::sort(names.begin(), names.end()); // so that the first complaint is always the same
    return names;
}

static std::vector<std::string> known_variables()
{
    std::vector<std::string> names{"ALLI_API_KEY", "ALLI_MIRROR_CONFIG"};
    for (const Setting& setting : setting_table()) names.push_back(variable_of(setting.key));
    for (const FormerKey& key : former_keys()) names.push_back(variable_of(key.key));
    return names;
}

// Kubernetes sets these in every container for a service called alli-mirror, or alli-mirror-NAME: ..._SERVICE_HOST,
// ..._SERVICE_PORT[_NAME], ..._PORT=tcp://10.0.0.1:8787 and ..._PORT_8787_TCP[_ADDR|_PORT|_PROTO].
static bool is_of_platform(std::string_view name, std::string_view value)
{
    static constexpr auto protocols = std::to_array<std::string_view>({"tcp", "udp", "sctp"});
    if (name.ends_with("_SERVICE_HOST") || name.find("_SERVICE_PORT") != name.npos) return true;
    return std::any_of(protocols.begin(), protocols.end(), [&](std::string_view protocol) {
        std::string upper;
        for (const char letter : protocol) upper += static_cast<char>(letter - 'a' + 'A');
        const auto numbered = name.find("_PORT_");
        return (name.ends_with("_PORT") && value.starts_with(std::string(protocol) + "://")) ||
               (numbered != name.npos && name.find("_" + upper, numbered + 6) != name.npos);
    });
}

// The name without the common prefix.
static std::string_view own_part(std::string_view name)
{
    return name.substr(name.starts_with(prefix) ? prefix.size() : std::string_view("ALLI_").size());
}

// The shortest known name that ends so, else the most similar one.
static std::string find_meant(std::string_view name, const std::vector<std::string>& known)
{
    const std::string_view own = own_part(name);
    std::string meant;
    std::vector<std::string_view> parts;
    for (const std::string& one : known) {
        const bool ends_so = !own.empty() && one.ends_with(fmt::format("_{}", own));
        if (ends_so && (meant.empty() || one.size() < meant.size())) meant = one;
        parts.push_back(own_part(one));
    }
    const std::string_view nearest = find_nearest(own, parts);
    if (!meant.empty() || nearest.empty()) return meant;
    return known[static_cast<std::size_t>(std::find(parts.begin(), parts.end(), nearest) - parts.begin())];
}

std::optional<Error> find_unknown_variable(const std::string& name, const Environment& environment)
{
    const std::vector<std::string> known = known_variables();
    if (std::find(known.begin(), known.end(), name) != known.end()) return std::nullopt;
    if (is_of_platform(name, environment(name).value_or(""))) return std::nullopt;
    const std::string meant = find_meant(name, known);
    return Error(Fault::settings,
                 meant.empty() ? "unset it; alli-mirror config show --json lists the variables that there are"
                               : fmt::format("did you mean {}? else unset it", meant),
                 "{}: there is no setting of that name", name);
}

} // namespace alli::daemon
