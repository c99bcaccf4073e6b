// SPDX-License-Identifier: Apache-2.0
// Hosts with their ports as requests name them: in Host, in an absolute target, in Origin (RFC 9110 4.2, RFC 6454).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

struct Authority {
    std::string host;                  // lower case, with the brackets of an IPv6 address
    std::optional<std::uint16_t> port; // none: the scheme's own
};

/// "host", "host:port", "[v6]:port"; none for anything else: no user, no list, no path.
std::optional<Authority> read_authority(std::string_view text);

/// A host that is this machine to every browser.
bool is_loopback_name(std::string_view host) noexcept;

/// "scheme://host[:port]" as a browser writes it: lower case, and no port where it is the scheme's own. None for
/// anything else: "null", "*", a path, a blank.
std::optional<std::string> read_origin(std::string_view text);

/// Whether the Origin names the host that a request was sent to, over the scheme of the Origin.
bool is_origin_of(std::string_view origin, const Authority& host);

/// ASCII letters in lower case.
std::string lower_case(std::string_view text);

} // namespace alli::proxy
