// SPDX-License-Identifier: Apache-2.0
#include "http/framing.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::http {
namespace {

// Headers that decide about a request. Connection must not name them as hop-by-hop: another server on the way would
// remove them.
constexpr auto end_to_end = std::to_array<std::string_view>(
    {"Host", "API-KEY", "Authorization", "Cookie", "Origin", "Content-Length", "Content-Type", "Content-Encoding",
     "Transfer-Encoding", "Expect", "Idempotency-Key", "Purpose", "AGENT-EMAIL", "OWN-USER-ID", "USER-EMAIL"});

// Other headers that change how a request is answered.
constexpr auto heeded =
    std::to_array<std::string_view>({"Connection", "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control",
                                     "Pragma", "Prefer", "Range", "If-Match", "If-None-Match", "If-Modified-Since",
                                     "If-Unmodified-Since", "If-Range", "Last-Event-ID", "X-Request-Id"});

Refusal malformed(std::string_view detail)
{
    return {400, detail, true};
}

std::optional<std::uint64_t> read_length(std::string_view text)
{
    std::uint64_t length = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, length);
    constexpr std::uint64_t most = std::uint64_t{1} << 62; // sums do not overflow
    if (text.empty() || bad != std::errc{} || stop != end || length > most) return std::nullopt;
    return length;
}

bool is_word(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
}

// 501 for codings that are valid but not implemented: chunked is the last one and occurs once. 400 for all others.
std::optional<Refusal> check_codings(std::string_view value)
{
    if (same_name(value, "chunked")) return std::nullopt;
    std::vector<std::string_view> codings = list_elements(value);
    const bool framed = same_name(codings.back(), "chunked");
    codings.pop_back();
    const bool sound = framed && std::all_of(codings.begin(), codings.end(), [](std::string_view coding) {
                           return is_word(coding) && !same_name(coding, "chunked") && !same_name(coding, "identity");
                       });
    if (!sound) return malformed("the Transfer-Encoding of the request says not where its body ends");
    return Refusal{501, "the only transfer coding known here is chunked", true};
}

std::optional<Refusal> read_body_framing(const RequestHead& head, RequestFraming& framing)
{
    const Headers& headers = head.headers;
    const auto lengths = headers.count("Content-Length"), codings = headers.count("Transfer-Encoding");
    if (lengths + codings > 1) return malformed("more than one header says how long the body is");
    if (codings && head.version < 11) return malformed("HTTP/1.0 knows no Transfer-Encoding");
    if (codings)
        if (auto refusal = check_codings(headers.first("Transfer-Encoding"))) return refusal;
    framing.chunked = codings > 0;
    if (lengths) {
        const auto length = read_length(headers.first("Content-Length"));
        if (!length) return malformed("the Content-Length of the request is no number");
        framing.length = *length;
    }
    const bool bodiless = head.method == "GET" || head.method == "HEAD";
    if (bodiless && (framing.chunked || framing.length > 0)) return malformed("a GET or HEAD request has no body");
    return std::nullopt;
}

bool is_end_to_end(std::string_view name)
{
    return same_name(name.substr(0, 4), "Sec-") ||
           std::any_of(end_to_end.begin(), end_to_end.end(),
                       [&](std::string_view own) { return same_name(own, name); });
}

// A program behind a CGI interface reads API_KEY as API-KEY (RFC 3875 4.1.18): a name that another server on the way
// passes on unchecked must not have a meaning here.
bool reads_as_heeded(std::string_view name)
{
    if (name.find('_') == name.npos) return false;
    std::string dashed(name);
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    return is_end_to_end(dashed) ||
           std::any_of(heeded.begin(), heeded.end(), [&](std::string_view own) { return same_name(own, dashed); });
}

std::optional<Refusal> check_names(const Headers& headers)
{
    const bool misleads =
        std::any_of(headers.begin(), headers.end(), [](const Header& header) { return reads_as_heeded(header.name); });
    if (misleads) return malformed("a header's name has _ where the one it would be read as has -");
    return std::nullopt;
}

std::optional<Refusal> read_connection(const RequestHead& head, RequestFraming& framing)
{
    framing.keep_alive = head.version >= 11;
    bool close = false;
    for (const Header& header : head.headers) {
        if (!same_name(header.name, "Connection")) continue;
        for (const std::string_view option : list_elements(header.value)) {
            if (is_end_to_end(option)) return malformed("the Connection of the request names what is not its own");
            close = close || same_name(option, "close");
            framing.keep_alive = framing.keep_alive || same_name(option, "keep-alive");
        }
    }
    framing.keep_alive = framing.keep_alive && !close;
    return std::nullopt;
}

} // namespace

std::variant<RequestFraming, Refusal> read_framing(const RequestHead& head)
{
    RequestFraming framing;
    if (const auto refusal = check_names(head.headers)) return *refusal;
    if (const auto refusal = read_body_framing(head, framing)) return *refusal;
    if (const auto refusal = read_connection(head, framing)) return *refusal;
    // Expectations other than 100-continue are refused by the caller.
    framing.expects_continue = head.version >= 11 && head.headers.count("Expect") > 0;
    return framing;
}

} // namespace alli::http
