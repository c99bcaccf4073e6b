// SPDX-License-Identifier: Apache-2.0
// How long an answer asks to wait, and how much of that is obeyed: by whose answer it is.
#include "upstream/retry_after.hpp"

#include "upstream/authenticity.hpp"
#include "upstream/header.hpp"
#include "upstream/reply.hpp"

#include <algorithm>
#include <charconv>

namespace alli::upstream {
namespace {

constexpr std::chrono::milliseconds longest_obeyed =
    std::chrono::hours(1); // of a Retry-After: the service's or a receiver's,
constexpr std::chrono::milliseconds longest_of_others = std::chrono::seconds(30); // a portal's or a gateway's,
constexpr std::chrono::milliseconds longest_believed = std::chrono::hours(24);    // and anybody's

// Digits, perhaps with a fraction, rounded up.
std::optional<std::chrono::milliseconds> read_seconds(std::string_view text)
{
    const auto point = std::min(text.find('.'), text.size());
    const auto whole = text.substr(0, point), fraction = text.substr(std::min(point + 1, text.size()));
    const auto all_digits = [](std::string_view it) { return it.find_first_not_of("0123456789") == it.npos; };
    if (whole.empty() || !all_digits(whole) || !all_digits(fraction)) return std::nullopt;
    std::int64_t seconds = 0;
    if (std::from_chars(whole.data(), whole.data() + whole.size(), seconds).ec != std::errc()) return std::nullopt;
    if (seconds > std::chrono::duration_cast<std::chrono::seconds>(longest_believed).count()) return std::nullopt;
    return std::chrono::seconds(seconds + (fraction.find_first_not_of('0') != fraction.npos ? 1 : 0));
}

// A portal's page, or JSON as gateways speak it; who says nothing may be anybody.
bool is_of_others(const Reply& reply)
{
    if (is_html(reply)) return true;
    return !trimmed(reply.body).empty() && authenticity_of(reply, {}) == Authenticity::foreign;
}

} // namespace

std::optional<std::chrono::milliseconds> read_retry_after(const Reply& reply, Instant now)
{
    const std::string* header = reply.header("Retry-After");
    if (!header) return std::nullopt;
    const auto text = trimmed(*header);
    std::optional<std::chrono::milliseconds> wait = read_seconds(text);
    if (const auto date = from_http_date(text)) {
        const std::string* sent = reply.header("Date");
        const auto theirs = sent ? from_http_date(trimmed(*sent)) : std::nullopt;
        wait = std::chrono::ceil<std::chrono::milliseconds>(*date - theirs.value_or(now));
    }
    if (!wait || *wait > longest_believed) return std::nullopt;
    return std::clamp<std::chrono::milliseconds>(*wait, std::chrono::seconds(0), longest_obeyed);
}

std::optional<std::chrono::milliseconds> retry_after(const Reply& reply, Instant now)
{
    const auto wait = read_retry_after(reply, now);
    return wait && is_of_others(reply) ? std::min(*wait, longest_of_others) : wait;
}

} // namespace alli::upstream
