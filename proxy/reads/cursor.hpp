// SPDX-License-Identifier: Apache-2.0
// Our cursors: the key at which a page ended, bound by an HMAC to the filters and the order of its list, so that an
// altered cursor, or one of another list, is refused. One that was given with a page of
// upstream's (proxy/reads/list_continuation.hpp) may hold upstream's cursor too. "am2.PAYLOAD.SEAL", "am1." from
// earlier versions. Pure.
#pragma once

#include "cache/lists/list.hpp"

#include <string>
#include <string_view>

namespace alli::proxy {

struct Cursor {
    cache::ListKey key;
    std::optional<std::string> upstream = {}; // goes on from here there, asked for the list that `key` leads to
    bool upstream_only = false;               // of the rows of that time, more were shown than the key tells
    bool reversed = false;                    // upstream is asked for it in the opposite order
};

bool is_our_cursor(std::string_view cursor) noexcept;

std::string write_cursor(const Cursor& cursor, const cache::ListFilter& filter, std::string_view secret);

/// Throws Error{usage} for one that was altered or belongs to another list.
Cursor read_cursor(std::string_view text, const cache::ListFilter& filter, std::string_view secret);

} // namespace alli::proxy
