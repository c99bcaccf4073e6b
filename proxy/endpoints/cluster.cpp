// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/cluster.hpp"

#include "proxy/request/cluster.hpp"

namespace alli::proxy {

Task<Response> step_down(const Context& cx, const Request&)
{
    if (!cx.cluster) co_return problem(ErrorFormat::ours, 404, "this machine is not part of a cluster");
    if (!cx.cluster->step_down())
        co_return problem(ErrorFormat::ours, 409, say_who_leads(cx), "ask the node that leads");
    Response response = text_response("application/json", std::string(R"({"steppingDown":true})"));
    response.status = 202;
    co_return response;
}

} // namespace alli::proxy
