// SPDX-License-Identifier: Apache-2.0
// THE table of what the proxy answers by itself. All else under /webapi/ is relayed. Constants: any thread.
#pragma once

#include "proxy/request/route.hpp"

#include <span>

namespace alli::proxy {

std::span<const Route> routes() noexcept;

} // namespace alli::proxy
