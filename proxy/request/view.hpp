// SPDX-License-Identifier: Apache-2.0
// What a request may see. A narrowed principal sees the conversations of one app or user alone, and is answered from
// the mirror alone, as if upstream were away. Pure.
#pragma once

#include "cache/rows/visibility.hpp"
#include "proxy/access/http.hpp"
#include "proxy/request/request.hpp"

#include <string_view>

namespace alli::proxy {

inline bool is_narrowed(const Request& rq) noexcept
{
    return !rq.part().is_whole();
}

/// The rows that the request may see, for the cache's own filters.
inline cache::Visibility view_of(const Request& rq)
{
    return {rq.part().app, rq.part().user};
}

inline constexpr std::string_view mirror_alone = "this token is answered from the mirror alone";

/// Before anything goes upstream that is not an accepted write. Throws Refused{504} for a narrowed principal.
inline void require_whole_view(const Request& rq)
{
    if (is_narrowed(rq)) throw Refused({504, mirror_alone});
}

} // namespace alli::proxy
