// SPDX-License-Identifier: Apache-2.0
#include "alli/relative_time.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <charconv>
#include <optional>

namespace alli {
namespace {

using namespace std::chrono;

struct Word {
    std::string_view text;
    int days_ago;
};
constexpr auto words = std::to_array<Word>({
    {"today", 0},
    {"yesterday", 1},
    {"오늘", 0},
    {"어제", 1},
    {"今日", 0},
    {"昨日", 1},
});

local_days day_of(Instant when, const Zone& zone)
{
    return floor<days>(local_time<microseconds>{(when + zone.offset_at(when)).time_since_epoch()});
}

local_days days_back(local_days day, int count)
{
    return day - days{count};
}

// The 31st of a month that has none is its last day.
local_days months_back(local_days day, int count)
{
    const year_month_day date{day};
    const year_month month = year_month{date.year(), date.month()} - months{count};
    const year_month_day_last last = month / std::chrono::last;
    return local_days{month / std::min(date.day(), last.day())};
}

struct Unit {
    char letter;
    int times;
    local_days (*back)(local_days day, int count);
};
constexpr auto units = std::to_array<Unit>({
    {'d', 1, &days_back},
    {'w', 7, &days_back},
    {'m', 1, &months_back},
    {'y', 12, &months_back},
});

std::string write_day(local_days day)
{
    const year_month_day date{day};
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()));
}

bool is_word(std::string_view text, std::string_view word)
{
    const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; };
    return std::equal(text.begin(), text.end(), word.begin(), word.end(), same);
}

struct Count {
    int number;
    char unit; // a small letter
};

// "7d"; up to four digits, so that no count leaves the calendar.
std::optional<Count> read_count(std::string_view text)
{
    constexpr std::size_t longest = 5;
    if (text.size() < 2 || text.size() > longest) return std::nullopt;
    Count count{0, text.back()};
    if (count.unit >= 'A' && count.unit <= 'Z') count.unit = static_cast<char>(count.unit + ('a' - 'A'));
    const char* const end = text.data() + text.size() - 1;
    const auto [read, fault] = std::from_chars(text.data(), end, count.number);
    if (fault != std::errc() || read != end || count.number < 0) return std::nullopt;
    return count;
}

} // namespace

std::string absolute_time(std::string_view text, const Zone& zone, Instant now)
{
    const local_days today = day_of(now, zone);
    for (const Word& word : words)
        if (is_word(text, word.text)) return write_day(days_back(today, word.days_ago));
    const auto count = read_count(text);
    if (!count) return std::string(text);
    if (count->unit == 'h') return to_rfc3339(now - hours{count->number});
    for (const Unit& unit : units) {
        if (unit.letter != count->unit) continue;
        const local_days day = unit.back(today, count->number * unit.times);
        return year_month_day{day}.year() < year{1} ? std::string(text) : write_day(day);
    }
    return std::string(text);
}

} // namespace alli
