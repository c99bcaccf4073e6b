// SPDX-License-Identifier: Apache-2.0
// Halves of surrogate pairs in a JSON text, as JavaScript writes of a text that was cut within an emoji: "\ud83d".
#pragma once

#include <string>

namespace alli::proxy {

/// Each becomes U+FFFD. What is no JSON stays none.
void replace_half_pairs(std::string& body);

} // namespace alli::proxy
