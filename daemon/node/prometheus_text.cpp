// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/prometheus_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cmath>
#include <iterator>

namespace alli::daemon {

static constexpr std::array<std::string_view, 3> type_names{"counter", "gauge", "histogram"};

static void put_escaped(std::string& text, std::string_view value)
{
    for (const char letter : value) {
        if (letter == '\n') {
            text += "\\n";
            continue;
        }
        if (letter == '\\' || letter == '"') text += '\\';
        text += letter;
    }
}

static void put_label(std::string& text, std::string_view name, std::string_view value)
{
    text += text.ends_with('{') ? "" : ",";
    text.append(name).append("=\"");
    put_escaped(text, value);
    text += '"';
}

// Whole numbers as such: a byte count must not come out as 1.23457e+09.
static void put_value(std::string& text, double value)
{
    if (std::floor(value) == value && std::fabs(value) < 1e15)
        fmt::format_to(std::back_inserter(text), " {}\n", static_cast<std::int64_t>(value));
    else
        fmt::format_to(std::back_inserter(text), " {}\n", value);
}

void PrometheusText::family(std::string_view name, Type type, std::string_view help)
{
    name_ = fmt::format("alli_mirror_{}", name);
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name_, help, name_,
                   type_names[static_cast<std::size_t>(type)]);
}

void PrometheusText::line(std::string_view suffix, Labels labels, std::string_view bound, double value)
{
    text_.append(name_).append(suffix);
    if (labels.size() > 0 || !bound.empty()) {
        text_ += '{';
        for (const auto& [name, text] : labels) put_label(text_, name, text);
        if (!bound.empty()) put_label(text_, "le", bound);
        text_ += '}';
    }
    put_value(text_, value);
}

void PrometheusText::sample(double value, Labels labels)
{
    line("", labels, "", value);
}

void PrometheusText::histogram(const Histogram::Reading& reading, Labels labels)
{
    double count = 0;
    for (std::size_t i = 0; i < reading.buckets.size(); ++i) {
        count += static_cast<double>(reading.buckets[i]);
        line("_bucket", labels, i < time_bounds.size() ? fmt::format("{}", time_bounds[i]) : "+Inf", count);
    }
    line("_sum", labels, "", reading.sum_seconds);
    line("_count", labels, "", count);
}

void PrometheusText::gauge(std::string_view name, std::string_view help, double value)
{
    family(name, Type::gauge, help);
    sample(value);
}

void PrometheusText::counter(std::string_view name, std::string_view help, double value)
{
    family(name, Type::counter, help);
    sample(value);
}

} // namespace alli::daemon
