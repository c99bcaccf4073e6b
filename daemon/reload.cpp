// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "daemon/assign.hpp"
#include "daemon/log.hpp"

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
    std::vector<std::string> taken = changed_settings(current, wanted), waiting = taken;
    std::erase_if(waiting, is_live);
    std::erase_if(taken, std::not_fn(is_live));
    current.log_level = wanted.log_level;
    current.log_format = wanted.log_format;
    start_log(current, environment);
    log_event<Event::reloaded>(fmt::format("{}", fmt::join(taken, ", ")));
    if (!waiting.empty()) log_event<Event::restart_needed>(fmt::format("{}", fmt::join(waiting, ", ")));
}

void reload_settings(const Context& context, Config& current)
{
    try {
        take_over(context.settings().config, current, context.environment);
    } catch (const Error& error) {
        log_event<Event::reload_failed>(std::string_view(error.what()), error.hint());
    }
}

} // namespace alli::daemon
