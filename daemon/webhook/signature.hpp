// SPDX-License-Identifier: Apache-2.0
// Signatures of Standard Webhooks: HMAC-SHA256 over "id.timestamp.payload", by each secret of the webhook, so that one
// can be replaced without a gap. Pure.
#pragma once

#include "alli/instant.hpp"

#include <span>
#include <string>
#include <string_view>

namespace alli::daemon {

/// The header `webhook-signature`: "v1,BASE64", one for each secret, a blank between them.
std::string sign_message(std::span<const std::string> secrets, std::string_view id, std::chrono::sys_seconds at,
                         std::string_view payload);

} // namespace alli::daemon
