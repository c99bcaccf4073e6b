// SPDX-License-Identifier: Apache-2.0
// The value of a request's header, read as each of those that a mirror heeds: whatever it holds it is read or counts as
// absent, and a tag that a client names makes a 304 exactly where it is ours.
#include "proxy/access/browser_sessions.hpp"
#include "proxy/request/accept_header.hpp"
#include "proxy/request/cache_directives.hpp"
#include "proxy/request/conditional.hpp"
#include "proxy/writes/write_check.hpp"
#include "tests/fuzz/target.hpp"

using namespace alli;
using namespace alli::proxy;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view our_tag = "\"0123456789abcdef\"";

void check_cache(std::string_view value)
{
    const CacheDirectives directives = read_cache_directives(value);
    for (const auto& seconds : {directives.max_age, directives.min_fresh, directives.stale_by})
        fuzz::require(!seconds || *seconds >= 0s, "no time is negative");
    const bool plain = !directives.no_cache && !directives.max_age && !directives.min_fresh;
    fuzz::require(!plain || directives.allow(0us, 60s), "what is just read satisfies who asks for nothing special");
    if (directives.max_age && directives.allow(10s, 60s) && !directives.max_stale)
        fuzz::require(*directives.max_age >= 10s, "nothing older than max-age is allowed");
    read_cache_directives({}, value);
}

void check_weights(std::string_view value)
{
    for (const auto& weight : {weight_of(value, "gzip"), weight_of_type(value, "text/csv")})
        fuzz::require(!weight || (*weight >= 0 && *weight <= 1000), "a weight is one of thousandths");
}

void check_condition(std::string_view value)
{
    Request rq;
    rq.method = "GET";
    rq.headers.add("If-None-Match", std::string(value));
    Response response;
    response.status = 200;
    validate(response, rq, std::string(our_tag));
    const bool may = value.find(our_tag) != value.npos || value.find('*') != value.npos;
    fuzz::require(response.status == 200 || (response.status == 304 && may), "304 is for who holds it");
}

void check_preference(std::string_view value)
{
    const Preference preference = read_preference(value);
    fuzz::require(!preference.wait || *preference.wait >= 0ms, "nobody waits for less than no time");
}

void check_cookie(std::string_view value)
{
    const std::string_view found = find_cookie(value, "alli-mirror-8787");
    fuzz::require(found.empty() || (found.data() >= value.data() && found.size() <= value.size()), "a part of it");
    fuzz::require(found.find(';') == found.npos, "one cookie");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view value = fuzz::text_of(data, size);
    check_cache(value);
    check_weights(value);
    check_condition(value);
    check_preference(value);
    check_cookie(value);
    return 0;
}
