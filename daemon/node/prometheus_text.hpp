// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format, version 0.0.4, put together a family at a time. Pure.
#pragma once

#include "alli/metric.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace alli::daemon {

class PrometheusText {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;
    enum class Type { counter, gauge, histogram };

    /// Begins a family: its samples follow. `name` without the prefix "alli_mirror_".
    void family(std::string_view name, Type type, std::string_view help);
    void sample(double value, Labels labels = {});
    void histogram(const Histogram::Reading& reading, Labels labels = {});

    /// A family of one sample.
    void gauge(std::string_view name, std::string_view help, double value);
    void counter(std::string_view name, std::string_view help, double value);

    std::string take() { return std::move(text_); }

  private:
    void line(std::string_view suffix, Labels labels, std::string_view bound, double value);

    std::string text_, name_;
};

} // namespace alli::daemon
