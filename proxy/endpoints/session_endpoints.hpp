// SPDX-License-Identifier: Apache-2.0
// /mirror/v1/session: POST makes a one-time link (with a key, or over the Unix socket), GET exchanges it for a session
// cookie, DELETE ends the session. /mirror/v1/principal says as whom one is let in. Runs on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> make_link(const Context& cx, const Request& rq);
Task<Response> enter(const Context& cx, const Request& rq);
Task<Response> show_principal(const Context& cx, const Request& rq);
Task<Response> sign_out(const Context& cx, const Request& rq);

} // namespace alli::proxy
