// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/duration.hpp"

#include "daemon/settings/settings.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <cstdint>

namespace alli::daemon {

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};

static constexpr auto units = std::to_array<Unit>({
    {"ms", 1},
    {"s", 1'000},
    {"m", 60'000},
    {"h", 3'600'000},
    {"d", 86'400'000},
});
static constexpr std::int64_t longest = std::int64_t{3650} * 86'400'000;

std::optional<std::chrono::milliseconds> read_duration(std::string_view text)
{
    std::int64_t number = 0;
    const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc{} || number < 1) return std::nullopt;

    const std::string_view name = text.substr(static_cast<std::size_t>(rest - text.data()));
    for (const Unit& unit : units)
        if (name == unit.name && number <= longest / unit.milliseconds)
            return std::chrono::milliseconds(number * unit.milliseconds);
    return std::nullopt;
}

std::string write_duration(std::chrono::milliseconds span)
{
    const Unit* largest = &units.front();
    for (const Unit& unit : units)
        if (unit.name != "d" && span.count() % unit.milliseconds == 0) largest = &unit;
    return fmt::format("{}{}", span.count() / largest->milliseconds, largest->name);
}

std::optional<std::chrono::milliseconds> read_retention(const Config& config)
{
    if (config.retention.empty()) return std::nullopt;
    const auto keep = read_duration(config.retention);
    constexpr const char* hint = "a number with its unit, such as 365d; empty keeps everything";
    if (!keep) throw Error(Fault::settings, hint, "mirror.retention is no duration");
    if (*keep < std::chrono::hours(24))
        throw Error(Fault::settings, hint, "mirror.retention is less than a day: is it another unit that is meant?");
    return keep;
}

std::string say_duration(std::chrono::seconds span)
{
    const auto seconds = span.count();
    if (seconds < 120) return fmt::format("{} s", seconds);
    if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
    if (seconds < 2 * 86'400) return fmt::format("{} h", seconds / 3600);
    return fmt::format("{} days", seconds / 86'400);
}

} // namespace alli::daemon
