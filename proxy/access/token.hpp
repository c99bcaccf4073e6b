// SPDX-License-Identifier: Apache-2.0
// A credential of a local app, as the guard knows it: never the token itself. Plain data: any thread.
#pragma once

#include "alli/digest.hpp"
#include "alli/instant.hpp"
#include "proxy/access/principal.hpp"

#include <optional>
#include <string>

namespace alli::proxy {

struct Token {
    Principal principal;
    Digest hash{}; // SHA-256
    std::optional<Instant> expires;
};

} // namespace alli::proxy
