// SPDX-License-Identifier: Apache-2.0
// Writes an event of the table (alli/event.hpp) to the log. Any thread, without waiting for another than the one that
// writes a line. Repeats beyond an event's rate are counted, and the next line, or `repeats`, says how many.
#pragma once

#include "alli/error.hpp"
#include "alli/event.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace alli {

using LogValue = std::variant<std::int64_t, double, std::string_view>; // an empty text: the field is left out

enum class LogStyle {
    plain, // of commands: warnings and errors alone, to stderr
    text,  // through spdlog's default logger, as json
    json,  // the members of an object, without its braces
};
void set_log_style(LogStyle style) noexcept;

/// The key that ids are hashed with; of one installation, so that its lines can be told to belong together and nobody
/// else's can. Without it, one that lasts as long as the process.
void set_log_key(std::string key);
/// What stands in a line in the place of that id: twelve hexadecimal digits; nothing for nothing.
std::string hashed_id(std::string_view id);

/// A line each for what was counted and not yet said, as far as its rate allows; `all`: whatever that.
void log_repeats(bool all = false);

/// What happened, for an event's "error": our own sentence, or what kind of failure it was. Never what a parser quotes.
std::string reason_of(const std::exception_ptr& failure);
/// None: there is no failure, or it is not an Error.
std::optional<Fault> fault_of(const std::exception_ptr& failure);

bool is_logged(Severity severity) noexcept;
void write_event(const EventRow& row, std::span<const LogValue> values);

inline LogValue log_value(std::string_view text)
{
    return text;
}
template <std::integral Number>
LogValue log_value(Number number)
{
    return static_cast<std::int64_t>(number);
}
inline LogValue log_value(double number)
{
    return number;
}

/// For a field "ms".
inline double milliseconds_of(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double, std::milli>(time).count();
}

/// log_event<Event::upstream_lost>(error, hint): a value for each field of its row.
template <Event event, class... Values>
void log_event(const Values&... values)
{
    constexpr const EventRow& row = row_of(event);
    static_assert(sizeof...(Values) == field_count(row), "an event has a value for each field of its row");
    if (!is_logged(row.severity)) return;
    const std::array<LogValue, sizeof...(Values)> list{log_value(values)...};
    write_event(row, list);
}

} // namespace alli
