// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/cache_directives.hpp"

#include "alli/headers.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::proxy {
namespace {

using std::chrono::seconds;

struct Flag {
    std::string_view name;
    bool CacheDirectives::*member;
};
constexpr std::array flags{
    Flag{"no-cache", &CacheDirectives::no_cache},
    Flag{"no-store", &CacheDirectives::no_store},
    Flag{"only-if-cached", &CacheDirectives::only_if_cached},
    Flag{"max-stale", &CacheDirectives::max_stale},
};

struct Span {
    std::string_view name;
    std::optional<seconds> CacheDirectives::*member;
};
constexpr std::array spans{
    Span{"max-age", &CacheDirectives::max_age},
    Span{"min-fresh", &CacheDirectives::min_fresh},
    Span{"max-stale", &CacheDirectives::stale_by},
};

// delta-seconds, quoted or not; a number too large is as large as one gets (RFC 9111 1.2.2).
std::optional<seconds> read_seconds(std::string_view text)
{
    constexpr std::int64_t most = 2'147'483'648;
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
    if (text.empty() || !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    std::int64_t value = most;
    std::from_chars(text.data(), text.data() + text.size(), value); // out of range leaves the most
    return seconds{std::min(value, most)};
}

void read_directive(CacheDirectives& directives, std::string_view directive)
{
    const auto equals = directive.find('=');
    const std::string_view name = trimmed(directive.substr(0, equals));
    for (const Flag& flag : flags)
        if (same_name(name, flag.name)) directives.*flag.member = true;
    if (equals == directive.npos) return;
    for (const Span& span : spans)
        if (same_name(name, span.name)) directives.*span.member = read_seconds(trimmed(directive.substr(equals + 1)));
}

} // namespace

bool CacheDirectives::allow(std::optional<std::chrono::microseconds> age,
                            std::chrono::milliseconds lifetime) const noexcept
{
    const bool bounded = max_age || min_fresh || stale_by;
    if (!bounded) return true;
    if (!age) return false;
    if (min_fresh && *age + *min_fresh > lifetime) return false;
    if (max_stale && !stale_by) return true;
    const seconds more = stale_by.value_or(seconds{0});
    if (max_age && *age > *max_age + more) return false;
    return max_age || !stale_by || *age <= lifetime + more;
}

CacheDirectives read_cache_directives(std::string_view cache_control, std::string_view pragma)
{
    CacheDirectives directives;
    if (cache_control.empty()) {
        directives.no_cache = same_name(trimmed(pragma), "no-cache");
        return directives;
    }
    while (!cache_control.empty()) {
        const std::string_view directive = cache_control.substr(0, cache_control.find(','));
        cache_control.remove_prefix(std::min(cache_control.size(), directive.size() + 1));
        read_directive(directives, directive);
    }
    return directives;
}

CacheDirectives cache_directives_of(const Request& rq)
{
    if (rq.headers.count("Cache-Control") < 2)
        return read_cache_directives(rq.header("Cache-Control"), rq.header("Pragma"));
    return read_cache_directives(rq.headers.joined("Cache-Control"));
}

} // namespace alli::proxy
