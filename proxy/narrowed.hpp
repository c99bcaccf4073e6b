// SPDX-License-Identifier: Apache-2.0
// Principals that see a part of the mirror: what each route is for them, decided once, before its handler. They are
// answered from the mirror alone, as if upstream were away. A route that is not named there is refused.
#pragma once

#include "cache/visibility.hpp"
#include "proxy/routes.hpp"

#include <optional>

namespace alli::proxy {

struct Read;

inline bool is_narrowed(const Request& rq) noexcept
{
    return !rq.part().is_whole();
}

/// The rows that the request may see, for the cache's own filters.
cache::Visibility view_of(const Request& rq);

/// Why a narrowed principal does not get there: 404 for what is not in its view, 403 for what is about all of the
/// mirror or would be relayed. None: the handler answers, of its view alone. `match`: what the request was found to be.
std::optional<Response> refuse_narrowed(const Context& cx, const Request& rq, const Match& match);

/// The read, which finds nothing of a conversation that left the view since the request was admitted. Both must outlive
/// what is returned.
Read only_in_view(const Request& rq, const Read& read);

/// Before anything goes upstream that is no accepted write. Throws Refused{504} for a narrowed principal.
void require_whole_view(const Request& rq);

inline constexpr std::string_view mirror_alone = "this token is answered from the mirror alone";

} // namespace alli::proxy
