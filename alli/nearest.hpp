// SPDX-License-Identifier: Apache-2.0
// The word a person probably meant. Pure.
#pragma once

#include <span>
#include <string_view>

namespace alli {

/// The candidate with the fewest edits; empty when even that one is too far away to be meant.
std::string_view find_nearest(std::string_view word, std::span<const std::string_view> candidates);

} // namespace alli
