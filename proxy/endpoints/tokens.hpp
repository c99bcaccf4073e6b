// SPDX-License-Identifier: Apache-2.0
// /mirror/v1/tokens: the credentials of local apps, made, listed and revoked (scope admin). Runs on a proxy loop; the
// file is written on a thread for long work.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> list_tokens(const Context& cx, const Request& rq);
Task<Response> add_token(const Context& cx, const Request& rq);
Task<Response> revoke_token(const Context& cx, const Request& rq);

} // namespace alli::proxy
