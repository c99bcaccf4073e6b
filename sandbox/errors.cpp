// SPDX-License-Identifier: Apache-2.0
#include "sandbox/errors.hpp"

#include "sandbox/encoding.hpp"

namespace alli::sandbox {

Answer api_error(int status, int code, std::string_view message)
{
    return {.status = status,
            .body = fmt::format(R"({{"type":"APIError","code":{},"message":{}}})", code, json_text(message))};
}

Answer invalid_token()
{
    return {.status = 401, .body = R"({"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"})"};
}

Answer not_deserializable()
{
    return {.status = 400, .body = R"({"result":[],"errors":"content must be JSON deserializable!"})"};
}

Answer gateway_page(int status)
{
    const std::string_view title = status == 502 ? "502 Bad Gateway" : "503 Service Temporarily Unavailable";
    return {.status = status,
            .body = fmt::format("<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n"
                                "<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n",
                                title),
            .type = "text/html"};
}

} // namespace alli::sandbox
