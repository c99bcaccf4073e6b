// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/assign.hpp"

#include "alli/instant.hpp"
#include "daemon/settings/duration.hpp"

#include <charconv>
#include <cmath>

namespace alli::daemon {

using Expected = std::optional<std::string>;

static bool is_choice(std::string_view choices, std::string_view value)
{
    while (!choices.empty()) {
        const auto comma = choices.find(", ");
        if (choices.substr(0, comma) == value) return true;
        if (comma == std::string_view::npos) break;
        choices.remove_prefix(comma + 2);
    }
    return false;
}

static Expected take(std::string& target, const Raw& value, const Rule& rule)
{
    const auto* text = std::get_if<std::string>(&value);
    if (!rule.choices.empty() && (text == nullptr || !is_choice(rule.choices, *text)))
        return fmt::format("one of {}", rule.choices);
    if (rule.date && (text == nullptr || (!text->empty() && !from_rfc3339(*text))))
        return "a date such as \"2026-01-31\", or empty";
    if (text == nullptr) return "a text in quotes";
    target = *text;
    return std::nullopt;
}

static Expected take(std::vector<std::string>& target, const Raw& value, const Rule&)
{
    const auto* list = std::get_if<std::vector<std::string>>(&value);
    if (list == nullptr) return "a list of texts such as [\"a\", \"b\"]";
    target = *list;
    return std::nullopt;
}

static Expected take(bool& target, const Raw& value, const Rule&)
{
    const auto* flag = std::get_if<bool>(&value);
    if (flag == nullptr) return "true or false";
    target = *flag;
    return std::nullopt;
}

static Expected take(int& target, const Raw& value, const Rule& rule)
{
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr || static_cast<double>(*number) < rule.least || static_cast<double>(*number) > rule.most)
        return fmt::format("a whole number from {} to {}", rule.least, rule.most);
    target = static_cast<int>(*number);
    return std::nullopt;
}

static Expected take(double& target, const Raw& value, const Rule& rule)
{
    double number = std::nan("");
    if (const auto* whole = std::get_if<std::int64_t>(&value)) number = static_cast<double>(*whole);
    if (const auto* broken = std::get_if<double>(&value)) number = *broken;
    if (!(number >= rule.least && number <= rule.most))
        return fmt::format("a number from {} to {}", rule.least, rule.most);
    target = number;
    return std::nullopt;
}

static Expected take(std::chrono::milliseconds& target, const Raw& value, const Rule&)
{
    const auto* text = std::get_if<std::string>(&value);
    const auto span = text == nullptr ? std::nullopt : read_duration(*text);
    if (!span) return "a duration such as \"500ms\", \"30s\", \"10m\" or \"24h\", from \"1ms\" to \"3650d\"";
    target = *span;
    return std::nullopt;
}

std::optional<std::string> assign(Config& config, const Setting& setting, const Raw& value)
{
    return std::visit([&](auto member) { return take(value_of(config, member), value, setting.rule); }, setting.field);
}

static std::string trimmed(const std::string& text)
{
    static constexpr const char* blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    return first == text.npos ? "" : text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_quoted(std::string_view text)
{
    const auto end = text.find_last_not_of(" \t\r\n");
    return end != text.npos && end > 0 && (text.front() == '"' || text.front() == '\'') && text[end] == text.front();
}

static std::vector<std::string> split_list(const std::string& text)
{
    std::vector<std::string> items;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t comma = std::min(text.find(',', at), text.size());
        const std::string item = trimmed(text.substr(at, comma - at));
        if (!item.empty()) items.push_back(item);
        at = comma + 1;
    }
    return items;
}

template <class Number>
static Raw read_number(const std::string& text)
{
    Number number{};
    const char* end = text.data() + text.size();
    const auto [rest, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || rest != end) return text;
    return number;
}

static Raw read_flag(const std::string& text)
{
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
    return text;
}

template <class Wanted>
static bool holds(const Setting& setting)
{
    const Config any;
    return std::visit(
        [&](auto field) { return std::is_same_v<std::remove_cvref_t<decltype(value_of(any, field))>, Wanted>; },
        setting.field);
}

Raw from_text(const Setting& setting, const std::string& given)
{
    const std::string text = trimmed(given);
    if (holds<std::vector<std::string>>(setting)) return split_list(text);
    if (holds<bool>(setting)) return read_flag(text);
    if (holds<int>(setting)) return read_number<std::int64_t>(text);
    if (holds<double>(setting)) return read_number<double>(text);
    return text;
}

static std::string quoted(const std::string& text)
{
    std::string out = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') out += '\\';
        if (letter >= 0 && letter < ' ')
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
        else
            out += letter;
    }
    return out + '"';
}

static std::string written(const std::string& value)
{
    return quoted(value);
}
static std::string written(const std::vector<std::string>& value)
{
    std::vector<std::string> items;
    for (const std::string& item : value) items.push_back(quoted(item));
    return fmt::format("[{}]", fmt::join(items, ", "));
}
static std::string written(bool value)
{
    return value ? "true" : "false";
}
static std::string written(int value)
{
    return fmt::format("{}", value);
}
static std::string written(double value)
{
    return fmt::format("{}", value);
}
static std::string written(std::chrono::milliseconds value)
{
    return quoted(write_duration(value));
}

std::string toml_text(const Config& config, const Setting& setting)
{
    return std::visit([&](auto member) { return written(value_of(config, member)); }, setting.field);
}

std::string kind_of(const Setting& setting)
{
    const Rule& rule = setting.rule;
    if (!rule.choices.empty()) return fmt::format("one of {}", rule.choices);
    if (rule.date) return "date, or empty";
    if (holds<std::vector<std::string>>(setting)) return "list of texts";
    if (holds<bool>(setting)) return "true or false";
    if (holds<std::chrono::milliseconds>(setting)) return "duration";
    if (holds<std::string>(setting)) return "text";
    return fmt::format("number from {} to {}", rule.least, rule.most);
}

std::string describe(const Raw& value)
{
    if (const auto* text = std::get_if<std::string>(&value)) return fmt::format("\"{}\"", *text);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *number);
    if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
    if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
    if (std::holds_alternative<std::vector<std::string>>(value)) return "a list";
    return "a value of another kind";
}

} // namespace alli::daemon
