// SPDX-License-Identifier: Apache-2.0
#include "alli/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace alli {

static std::size_t count_edits(std::string_view from, std::string_view to)
{
    std::vector<std::size_t> row(to.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            const std::size_t change = diagonal + (from[i] == to[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates)
{
    std::string_view best;
    std::size_t fewest = std::min<std::size_t>(word.size(), 64) / 2 + 1;
    for (std::string_view candidate : candidates) {
        const std::size_t edits = count_edits(word.substr(0, 64), candidate);
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

} // namespace alli
