// SPDX-License-Identifier: Apache-2.0
// What tells one commit from another of the same number: 64 random bits as text.
#pragma once

#include "alli/random.hpp"

#include <spdlog/fmt/fmt.h>

#include <string>

namespace alli::cluster {

inline std::string make_nonce(Random& random)
{
    return fmt::format("{:016x}", random.next());
}

} // namespace alli::cluster
