// SPDX-License-Identifier: Apache-2.0
// Vary (RFC 9110 12.5.5): whether a reply was selected by request headers, and must not be shared or kept.
// Accept-Encoding and Origin never go upstream, so they do not count. Pure.
#pragma once

#include "upstream/http.hpp"

namespace alli::proxy {

/// True if requests of the same target that differ in their headers may get different replies.
bool may_vary(const upstream::Reply& reply);

/// True if a header of this request selected the reply: a request without it might get another.
bool is_special(const upstream::Reply& reply, const Headers& asked_with);

} // namespace alli::proxy
