// SPDX-License-Identifier: Apache-2.0
#include "alli/wire_field.hpp"

#include "alli/digest.hpp"
#include "alli/json_text.hpp"

#include <charconv>
#include <cmath>

namespace alli {
namespace {

constexpr std::string_view made_up_prefix = "no-id-";

// As a number is written, the quotes that it may stand in taken away; empty: it is none.
std::string number_text(JsonValue value)
{
    std::string text = value.is_string() ? text_of(value) : std::string(value.text);
    const bool begins = !text.empty() && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'));
    const bool plain = text.find_first_not_of("+-.0123456789Ee") == text.npos;
    return begins && plain ? text : std::string();
}

std::optional<double> read_number(const std::string& text)
{
    double number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || end != text.data() + text.size() || code != std::errc()) return std::nullopt;
    return number;
}

bool is_likely_time(double number, TimeUnit unit) // of the years 1973 to 2286
{
    const double seconds = unit == TimeUnit::milliseconds ? number / 1000 : number;
    return seconds >= 1e8 && seconds < 1e10;
}

} // namespace

TimeUnit settle_unit(double number, TimeUnit& unit)
{
    if (unit != TimeUnit::unknown) return unit;
    const TimeUnit guess = guess_unit(number);
    if (is_likely_time(number, guess)) unit = guess;
    return guess;
}

std::optional<Instant> read_time(JsonValue value, TimeUnit& unit)
{
    const std::string text = number_text(value);
    if (const auto number = read_number(text)) return read_instant(text, settle_unit(*number, unit));
    constexpr std::size_t shortest = 16; // a bare date is no time
    const std::string words = text_of(value);
    return words.size() >= shortest ? from_rfc3339(words) : std::nullopt;
}

std::optional<std::int64_t> read_count(JsonValue value)
{
    constexpr double most = 9e15; // what a double counts to
    const auto number = read_number(number_text(value));
    if (!number || *number < -most || *number > most) return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

std::optional<bool> read_flag(JsonValue value)
{
    const std::string text = value.is_string() ? text_of(value) : std::string(value.text);
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return std::nullopt;
}

std::optional<std::string> read_id(JsonValue value)
{
    if (!value.is_string()) {
        std::string number = number_text(value);
        return number.empty() ? std::nullopt : std::optional(std::move(number));
    }
    DecodedText id = decode_text(value.inside());
    if (!id.whole || id.text.empty()) return std::nullopt;
    return std::move(id.text);
}

std::string made_up_id(std::string_view raw)
{
    constexpr std::size_t bytes = 16;
    std::string id(made_up_prefix);
    const Digest digest = sha256(raw);
    for (std::size_t i = 0; i < bytes; ++i)
        for (const int digit : {digest[i] >> 4, digest[i] & 15}) id += "0123456789abcdef"[digit];
    return id;
}

std::string id_of_item(JsonValue item)
{
    const auto own = read_id(find_member(item, "id"));
    return own ? *own : made_up_id(item.text);
}

bool is_made_up(std::string_view id)
{
    constexpr std::size_t digits = 32;
    return id.starts_with(made_up_prefix) && id.size() == made_up_prefix.size() + digits;
}

} // namespace alli
