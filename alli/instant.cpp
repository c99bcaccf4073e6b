// SPDX-License-Identifier: Apache-2.0
#include "alli/instant.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace alli {
namespace {

using namespace std::chrono;

constexpr std::int64_t micros_per_second = 1'000'000;

constexpr int decimals_of(TimeUnit unit) // digits after the point that a microsecond leaves in this unit
{
    return unit == TimeUnit::seconds ? 6 : 3;
}

// Digits of a plain decimal ("-12.5"), scaled by 10^decimals and cut off below; none when it is written otherwise.
std::optional<std::int64_t> scaled(std::string_view text, int decimals)
{
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.empty() || text.size() > 32) return std::nullopt;
    std::int64_t value = 0;
    int taken = -1; // digits after the point so far; -1 before it
    for (const char c : text) {
        if (c == '.' && taken < 0) {
            taken = 0;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        if (taken == decimals) continue;
        if (value > (INT64_MAX - 9) / 10) return std::nullopt;
        value = value * 10 + (c - '0');
        if (taken >= 0) ++taken;
    }
    for (int i = std::max(taken, 0); i < decimals; ++i) {
        if (value > INT64_MAX / 10) return std::nullopt;
        value *= 10;
    }
    return negative ? -value : value;
}

// "NN" at `at`, within [low, high].
std::optional<unsigned> two_digits(std::string_view text, std::size_t at, unsigned low, unsigned high)
{
    unsigned value = 0;
    if (at + 2 > text.size()) return std::nullopt;
    const auto [end, bad] = std::from_chars(text.data() + at, text.data() + at + 2, value);
    if (bad != std::errc{} || end != text.data() + at + 2 || value < low || value > high) return std::nullopt;
    return value;
}

std::optional<sys_days> calendar_day(int year, unsigned month, unsigned day)
{
    const year_month_day date{std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
    if (!date.ok()) return std::nullopt;
    return sys_days{date};
}

std::optional<sys_days> read_date(std::string_view text)
{
    int year = 0;
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + 4, year);
    const auto month = two_digits(text, 5, 1, 12);
    const auto day = two_digits(text, 8, 1, 31);
    if (bad != std::errc{} || end != text.data() + 4 || !month || !day) return std::nullopt;
    return calendar_day(year, *month, *day);
}

std::optional<seconds> read_clock_time(std::string_view text) // "HH:MM:SS"
{
    const auto hour = two_digits(text, 0, 0, 23);
    const auto minute = two_digits(text, 3, 0, 59);
    const auto second = two_digits(text, 6, 0, 60);
    if (!hour || !minute || !second || text[2] != ':' || text[5] != ':') return std::nullopt;
    return hours{*hour} + minutes{*minute} + seconds{*second};
}

std::optional<minutes> read_offset(std::string_view text) // "Z", "+09:00"
{
    if (text == "Z" || text == "z") return minutes{0};
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
    const auto hour = two_digits(text, 1, 0, 23);
    const auto minute = two_digits(text, 4, 0, 59);
    if (!hour || !minute) return std::nullopt;
    const minutes offset = hours{*hour} + minutes{*minute};
    return text[0] == '-' ? -offset : offset;
}

constexpr std::array<std::string_view, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

} // namespace

TimeUnit guess_unit(double value) noexcept
{
    return std::abs(value) > 1e11 ? TimeUnit::milliseconds : TimeUnit::seconds;
}

std::optional<Instant> read_instant(std::string_view number, TimeUnit unit)
{
    const int decimals = decimals_of(unit);
    if (const auto exact = scaled(number, decimals)) return Instant{microseconds{*exact}};

    double value = 0; // 1.6e12 and its like: a double is the best there is
    const auto [end, bad] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (bad != std::errc{} || end != number.data() + number.size()) return std::nullopt;
    value *= unit == TimeUnit::seconds ? 1e6 : 1e3;
    if (!(std::abs(value) < 9.2e18)) return std::nullopt;
    return Instant{microseconds{static_cast<std::int64_t>(value)}};
}

std::string write_instant(Instant when, TimeUnit unit)
{
    const std::int64_t scale = unit == TimeUnit::seconds ? micros_per_second : 1000;
    const std::int64_t micros = when.time_since_epoch().count();
    const std::int64_t whole = micros / scale, rest = std::abs(micros % scale);
    const std::string sign = micros < 0 && whole == 0 ? "-" : "";
    if (rest == 0) return fmt::format("{}{}", sign, whole);
    std::string text = fmt::format("{}{}.{:0{}}", sign, whole, rest, decimals_of(unit));
    text.erase(text.find_last_not_of('0') + 1);
    return text;
}

std::string to_rfc3339(Instant when)
{
    const auto day = floor<days>(when);
    const year_month_day date{day};
    const hh_mm_ss time{when - day};
    std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   time.hours().count(), time.minutes().count(), time.seconds().count());
    if (const auto micros = time.subseconds().count()) {
        text += fmt::format(".{:06}", micros);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text + 'Z';
}

std::optional<Instant> from_rfc3339(std::string_view text)
{
    const auto day = read_date(text);
    if (!day) return std::nullopt;
    if (text.size() == 10) return Instant{*day};
    if (text.size() < 20 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
    const auto time = read_clock_time(text.substr(11, 8));
    if (!time) return std::nullopt;
    text.remove_prefix(19);
    std::int64_t micros = 0;
    if (text.starts_with('.')) {
        const auto digits = text.find_first_not_of("0123456789", 1);
        if (digits == std::string_view::npos || digits == 1) return std::nullopt;
        const auto fraction = scaled(fmt::format("0{}", text.substr(0, std::min<std::size_t>(digits, 8))), 6);
        if (!fraction) return std::nullopt;
        micros = *fraction;
        text.remove_prefix(digits);
    }
    const auto offset = read_offset(text);
    if (!offset) return std::nullopt;
    return Instant{*day} + *time + microseconds{micros} - *offset;
}

std::optional<Instant> from_http_date(std::string_view text) // "Sun, 06 Nov 1994 08:49:37 GMT"
{
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) return std::nullopt;
    const auto month = std::find(month_names.begin(), month_names.end(), text.substr(8, 3));
    const auto day = two_digits(text, 5, 1, 31);
    const auto time = read_clock_time(text.substr(17, 8));
    int year = 0;
    const auto [end, bad] = std::from_chars(text.data() + 12, text.data() + 16, year);
    if (month == month_names.end() || !day || !time || bad != std::errc{} || end != text.data() + 16)
        return std::nullopt;
    const auto date = calendar_day(year, static_cast<unsigned>(month - month_names.begin()) + 1, *day);
    if (!date) return std::nullopt;
    return Instant{*date} + *time;
}

std::string to_http_date(Instant when)
{
    const auto day = floor<days>(when);
    const year_month_day date{day};
    const hh_mm_ss time{floor<seconds>(when) - day};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", day_names[weekday{day}.c_encoding()],
                       static_cast<unsigned>(date.day()), month_names[static_cast<unsigned>(date.month()) - 1],
                       static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
                       time.seconds().count());
}

} // namespace alli
