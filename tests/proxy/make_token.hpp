// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "proxy/access/token.hpp"

namespace alli::proxy {

inline Token make_token(const std::string& secret, Scope scope = Scope::write, Part part = {})
{
    return {{"the " + secret, scope, std::move(part)}, sha256(secret), std::nullopt};
}

} // namespace alli::proxy
