// SPDX-License-Identifier: Apache-2.0
// Our own endpoints: state, liveness, readiness (shapes in docs of the API: fields are added, never renamed).
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> mirror_status(const Context& cx, const Request& rq);
Task<Response> mirror_metrics(const Context& cx, const Request& rq);
Task<Response> list_projects(const Context& cx, const Request& rq);
Task<Response> mirror_sync(const Context& cx, const Request& rq);
Task<Response> begin_maintenance(const Context& cx, const Request& rq);
Task<Response> maintenance_state(const Context& cx, const Request& rq);
Task<Response> is_alive(const Context& cx, const Request& rq); // constant: needs no key, reads nothing
Task<Response> is_ready(const Context& cx, const Request& rq); // whether the mirror can be read

} // namespace alli::proxy
