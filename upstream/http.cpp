// SPDX-License-Identifier: Apache-2.0
#include "upstream/http.hpp"

#include "alli/error.hpp"
#include "upstream/header.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

constexpr auto methods = std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});

// A '#' would end the URL for libcurl, a blank or a control character the request line.
bool is_clean_target(std::string_view target)
{
    return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
               return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#';
           });
}

} // namespace

void check_request(const Request& request)
{
    if (std::find(methods.begin(), methods.end(), request.method) == methods.end())
        throw Error(Fault::usage, "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
                    "the method of a request upstream is not known");
    if (!is_clean_target(request.target))
        throw Error(Fault::usage, "percent-encode what is no part of a path", "the target of a request is not a path");
    for (const Header& header : request.headers)
        if (!is_clean(header))
            throw Error(Fault::usage, "a header is one line of text",
                        "a header of a request upstream is not well formed");
}

} // namespace alli::upstream
