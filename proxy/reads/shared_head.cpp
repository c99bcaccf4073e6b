// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/shared_head.hpp"

#include "proxy/request/response.hpp"

namespace alli::proxy {
namespace {

std::string render(const HeadState& state, std::string_view tag, std::size_t length)
{
    Headers headers;
    headers.reserve(5);
    if (state.status == 200) headers.add("Content-Type", "application/json");
    headers.add("Date", date_header(state.second));
    headers.add("ETag", std::string(tag));
    if (state.age) headers.add("Age", std::to_string(*state.age));
    headers.add("Cache-Status", to_text(state.cache));
    return http::render_shared_head(state.status, headers, length, default_headers(state.status));
}

} // namespace

std::shared_ptr<const std::string> SharedHeads::find(const HeadState& state, std::string_view tag, std::size_t length)
{
    Rendered& known = state.status == 200 ? whole_ : unchanged_;
    if (!known.head || !(known.state == state))
        known = {state, std::make_shared<const std::string>(render(state, tag, length))};
    return known.head;
}

} // namespace alli::proxy
