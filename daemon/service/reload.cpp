// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/reload.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"
#include "daemon/output/log.hpp"
#include "daemon/settings/assign.hpp"
#include "daemon/settings/settings_check.hpp"

namespace alli::daemon {

static std::vector<const Setting*> differences(const Config& before, const Config& after)
{
    std::vector<const Setting*> differ;
    for (const Setting& setting : setting_table())
        if (toml_text(before, setting) != toml_text(after, setting)) differ.push_back(&setting);
    return differ;
}

std::vector<std::string> changed_settings(const Config& before, const Config& after)
{
    std::vector<std::string> changed;
    for (const Setting* setting : differences(before, after)) changed.emplace_back(setting->key);
    if (before.webhooks != after.webhooks) changed.emplace_back("webhook");
    return changed;
}

struct Reading {
    Config config;
    TokensFile place;
    std::vector<proxy::Token> tokens;
};

// Everything is read before anything is applied.
static Reading read_again(const Context& context, const MirrorLocation& mirror)
{
    const Settings settings = context.settings();
    const std::vector<Error> faults = find_faults(settings, context.environment);
    if (!faults.empty()) throw Error(faults.front());
    TokensFile place = find_tokens_file(settings.config, mirror);
    std::vector<proxy::Token> tokens = tokens_of(load_token_lines(place, context.environment));
    return {settings.config, std::move(place), std::move(tokens)};
}

static void copy(const Setting& setting, const Config& from, Config& to)
{
    std::visit([&](auto member) { value_of(to, member) = value_of(from, member); }, setting.field);
}

static void take_over(const Reading& wanted, Config& current, const Environment& environment, const Adjust& adjust)
{
    std::vector<std::string_view> taken, waiting;
    for (const Setting* setting : differences(current, wanted.config)) {
        (setting->rule.reloads ? taken : waiting).push_back(setting->key);
        if (setting->rule.reloads) copy(*setting, wanted.config, current);
    }
    if (current.webhooks != wanted.config.webhooks) waiting.push_back("webhook");
    start_log(current, environment);
    adjust(current, wanted.tokens, wanted.place);
    log_event<Event::reloaded>(fmt::format("{}", fmt::join(taken, ", ")), wanted.tokens.size());
    if (!waiting.empty()) log_event<Event::restart_needed>(fmt::format("{}", fmt::join(waiting, ", ")));
}

// Serialized with changes of the tokens file, so that a concurrent one is not lost.
void reload_settings(const Context& context, const MirrorLocation& mirror, Config& current, const Adjust& adjust)
{
    try {
        const TokensLock lock(find_tokens_file(context.settings().config, mirror).path);
        take_over(read_again(context, mirror), current, context.environment, adjust);
    } catch (const Error& error) {
        log_event<Event::reload_failed>(std::string_view(error.what()), error.hint());
    } catch (const std::exception& error) { // of memory, of a file system: the next signal finds somebody who hears it
        log_event<Event::reload_failed>(std::string_view(error.what()), "");
    }
}

} // namespace alli::daemon
