// SPDX-License-Identifier: Apache-2.0
// The files of the web page, as they were joined and embedded while building (cmake/embed_page.cmake). Constants.
#pragma once

#include <span>
#include <string_view>

namespace alli::page {

struct Asset {
    std::string_view name, plain, packed; // packed: gzip
};

/// In the order of their names.
std::span<const Asset> assets() noexcept;

} // namespace alli::page
