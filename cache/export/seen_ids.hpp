// SPDX-License-Identifier: Apache-2.0
// A set of ids as 64-bit hashes: 8 MB for a million conversations. The probability of any collision among a million is
// one in ten million. Pure.
#pragma once

#include "alli/quick_hash.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace alli::cache {

class SeenIds {
  public:
    bool contains(std::string_view id) const
    {
        const std::uint64_t hash = quick_hash(id);
        const auto tail = hashes_.begin() + sorted_;
        return std::binary_search(hashes_.begin(), tail, hash) || std::find(tail, hashes_.end(), hash) != hashes_.end();
    }
    void insert(std::string_view id) // that it does not contain
    {
        hashes_.push_back(quick_hash(id));
        if (std::ssize(hashes_) - sorted_ == longest_tail) sort();
    }

  private:
    static constexpr std::ptrdiff_t longest_tail = 4096;
    void sort()
    {
        std::sort(hashes_.begin() + sorted_, hashes_.end());
        std::inplace_merge(hashes_.begin(), hashes_.begin() + sorted_, hashes_.end());
        sorted_ = std::ssize(hashes_);
    }

    std::vector<std::uint64_t> hashes_; // in order but for the last ones
    std::ptrdiff_t sorted_ = 0;
};

} // namespace alli::cache
