// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/tokens.hpp"

#include "alli/error.hpp"

namespace alli::proxy {

Task<Response> list_tokens(const Context& cx, const Request&)
{
    const auto job = [&cx](cache::Reader&) { return cx.tokens.list(); };
    std::string text = co_await cx.store.read_long(job);
    co_return text_response("application/json", std::move(text));
}

Task<Response> add_token(const Context& cx, const Request& rq)
{
    // By value: the client may disconnect while the file is written.
    const auto job = [&cx, body = rq.body](cache::Reader&) { return cx.tokens.add(body); };
    std::optional<Error> taken;
    Response response;
    try {
        std::string text = co_await cx.store.read_long(job);
        response = text_response("application/json", std::move(text));
    } catch (const Error& error) {
        if (error.fault() != Fault::busy) throw;
        taken = error;
    }
    if (taken) co_return problem(ErrorFormat::ours, 409, taken->what(), taken->hint());
    response.status = 201;
    co_return response;
}

Task<Response> revoke_token(const Context& cx, const Request& rq)
{
    const auto job = [&cx, name = rq.ids.front()](cache::Reader&) { return cx.tokens.revoke(name); };
    const bool found = co_await cx.store.read_long(job);
    if (!found) co_return problem(ErrorFormat::ours, 404, "there is no token of that name", "alli-mirror token list");
    Response response;
    response.status = 204;
    co_return response;
}

} // namespace alli::proxy
