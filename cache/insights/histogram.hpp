// SPDX-License-Identifier: Apache-2.0
// How often values of about one size came: buckets that grow by a sixteenth, so that a median read off them is within
// 5%. Whole numbers below 32 are exact. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <vector>

namespace alli::cache {

class Histogram {
  public:
    /// That of a value, which is not negative.
    static std::uint16_t bucket_of(double value)
    {
        if (value < exact) return static_cast<std::uint16_t>(value);
        return static_cast<std::uint16_t>(exact + std::log(value / exact) / std::log(growth));
    }

    void add(double value) { add_to(bucket_of(value), 1); }
    void add_to(std::size_t bucket, std::int64_t count)
    {
        if (counts_.size() <= bucket) counts_.resize(bucket + 1);
        counts_[bucket] += count;
    }
    void add(const Histogram& more)
    {
        for (std::size_t bucket = 0; bucket < more.counts_.size(); ++bucket) add_to(bucket, more.counts_[bucket]);
    }

    std::optional<double> median() const
    {
        const std::int64_t total = std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
        if (total == 0) return std::nullopt;
        std::int64_t before = 0;
        for (std::size_t bucket = 0;; ++bucket)
            if ((before += counts_[bucket]) * 2 >= total) return value_of(bucket);
    }

  private:
    static constexpr double growth = 1.0 + 1.0 / 16, exact = 32; // whole numbers below it have a bucket each

    static double value_of(std::size_t bucket)
    {
        const auto number = static_cast<double>(bucket);
        if (number < exact) return number;
        return std::round(exact * std::pow(growth, number - exact + 0.5));
    }

    std::vector<std::int64_t> counts_;
};

} // namespace alli::cache
