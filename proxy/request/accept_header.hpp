// SPDX-License-Identifier: Apache-2.0
// How much a client wants what it lists in Accept and Accept-Encoding (RFC 9110 12.4.2, 12.5). Pure.
#pragma once

#include <optional>
#include <string_view>

namespace alli::proxy {

/// The weight of what stands there by this very name, in thousandths: 0 is a no; without a weight, or with one that
/// cannot be read, 1000. None where it does not stand there.
std::optional<int> weight_of(std::string_view list, std::string_view name);

/// Of a media type: by its name, else by type/*, else by */*.
std::optional<int> weight_of_type(std::string_view accept, std::string_view type);

} // namespace alli::proxy
