// SPDX-License-Identifier: Apache-2.0
// Our cursors: the place where a page ended, bound to the filters and the order of its list and sealed, so that an
// altered one, or one of another list, is refused rather than answered wrongly. "am1.PAYLOAD.SEAL". Pure.
#pragma once

#include "cache/list.hpp"

#include <string>
#include <string_view>

namespace alli::proxy {

bool is_our_cursor(std::string_view cursor) noexcept;

std::string write_cursor(const cache::ListKey& key, const cache::ListFilter& filter, std::string_view secret);

/// Throws Error{usage} for one that was altered or belongs to another list.
cache::ListKey read_cursor(std::string_view cursor, const cache::ListFilter& filter, std::string_view secret);

} // namespace alli::proxy
