// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.hpp"

#include "alli/error.hpp"
#include "daemon/assign.hpp"
#include "daemon/log.hpp"

#include <spdlog/spdlog.h>

namespace alli::daemon {

static bool is_live(std::string_view key)
{
    return key.starts_with("log.");
}

std::vector<std::string> changed_settings(const Config& before, const Config& after)
{
    std::vector<std::string> changed;
    for (const Setting& setting : setting_table())
        if (toml_text(before, setting) != toml_text(after, setting)) changed.emplace_back(setting.key);
    return changed;
}

static void take_over(const Config& wanted, Config& current, const Environment& environment)
{
    std::vector<std::string> waiting = changed_settings(current, wanted);
    std::erase_if(waiting, is_live);
    current.log_level = wanted.log_level;
    current.log_format = wanted.log_format;
    start_log(current, environment);
    spdlog::info("the settings were read again");
    if (!waiting.empty()) spdlog::warn("changed, but only a restart brings it: {}", fmt::join(waiting, ", "));
}

void reload_settings(const Context& context, Config& current)
{
    try {
        take_over(context.settings().config, current, context.environment);
    } catch (const Error& error) {
        spdlog::error("the settings stay as they were: {} (hint: {})", error.what(), error.hint());
    }
}

} // namespace alli::daemon
