// SPDX-License-Identifier: Apache-2.0
// A request target: taken apart, decoded and matched against the table. What passes was decoded once and is clean: no
// control character, no dot segment, in no part of the path.
#include "http/target.hpp"
#include "alli/error.hpp"
#include "proxy/access/guard.hpp"
#include "proxy/route_map.hpp"
#include "proxy/routes.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

using namespace alli;
using namespace alli::proxy;

namespace {

void check_segment(std::string_view segment)
{
    fuzz::require(std::none_of(segment.begin(), segment.end(),
                               [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }),
                  "no control character passes");
    for (const std::string_view part : split_path(segment))
        fuzz::require(part != "." && part != "..", "no dot segment passes");
}

void match(std::string_view path)
{
    try {
        static const RouteMap contract(routes(), Operations{});
        const Match found = contract.find("GET", path);
        for (const std::string& id : found.ids) check_segment(id);
        for (const std::string_view segment : split_path(path)) check_segment(decode_segment(segment));
        fuzz::require(!found.route || !found.allow.empty(), "a route names its method");
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::usage, "a bad path is the caller's fault");
    }
}

void read(std::string_view query)
{
    try {
        for (const Parameter& parameter : read_query(query))
            fuzz::require(parameter.name.size() + parameter.value.size() <= query.size(), "decoding adds nothing");
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::usage, "a bad parameter is the caller's fault");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto [path, query] = split_target(origin_form(fuzz::text_of(data, size)));
    match(path);
    read(query);
    return 0;
}
