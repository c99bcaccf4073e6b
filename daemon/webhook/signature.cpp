// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/signature.hpp"

#include "alli/digest.hpp"
#include "proxy/access/base64url.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::daemon {

static std::string to_base64(std::string_view bytes)
{
    std::string text = proxy::to_base64url(bytes);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::string sign_message(std::span<const std::string> secrets, std::string_view id, std::chrono::sys_seconds at,
                         std::string_view payload)
{
    const std::string content = fmt::format("{}.{}.{}", id, at.time_since_epoch().count(), payload);
    std::string signatures;
    for (const std::string& secret : secrets) {
        if (!signatures.empty()) signatures += ' ';
        signatures += "v1," + to_base64(bytes_of(seal(secret, content)));
    }
    return signatures;
}

} // namespace alli::daemon
