// SPDX-License-Identifier: Apache-2.0
#include "proxy/framing.hpp"

#include "upstream/header.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::proxy {
namespace {

namespace http = boost::beast::http;
using http::field;
using upstream::same_name;

// What decides about a request must not be declared one connection's affair: whoever is asked to strip it would lose
// it.
constexpr auto end_to_end = std::to_array<std::string_view>(
    {"Host", "API-KEY", "Authorization", "Cookie", "Origin", "Content-Length", "Content-Type", "Content-Encoding",
     "Transfer-Encoding", "Expect", "Idempotency-Key", "Purpose", "AGENT-EMAIL", "OWN-USER-ID", "USER-EMAIL"});

// Others that we heed.
constexpr auto heeded =
    std::to_array<std::string_view>({"Connection", "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control",
                                     "Pragma", "Prefer", "Range", "If-Match", "If-None-Match", "If-Modified-Since",
                                     "If-Unmodified-Since", "If-Range", "Last-Event-ID", "X-Request-Id"});

std::string_view view(boost::beast::string_view text) noexcept
{
    return {text.data(), text.size()};
}

Refusal malformed(std::string_view detail)
{
    return {400, detail, true};
}

// The elements of a list, empty ones included.
std::vector<std::string_view> elements(std::string_view list)
{
    std::vector<std::string_view> parts;
    for (;;) {
        const auto comma = list.find(',');
        parts.push_back(upstream::trimmed(list.substr(0, comma)));
        if (comma == list.npos) return parts;
        list.remove_prefix(comma + 1);
    }
}

std::optional<std::uint64_t> read_length(std::string_view text)
{
    std::uint64_t length = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, length);
    constexpr std::uint64_t most = std::uint64_t{1} << 62; // room to add to it
    if (text.empty() || bad != std::errc{} || stop != end || length > most) return std::nullopt;
    return length;
}

bool is_word(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    });
}

// Codings that end in chunked, and only there, are HTTP; that nobody here knows them is another thing.
std::optional<Refusal> check_codings(std::string_view value)
{
    if (same_name(value, "chunked")) return std::nullopt;
    std::vector<std::string_view> codings = elements(value);
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
    const auto lengths = head.count(field::content_length), codings = head.count(field::transfer_encoding);
    if (lengths + codings > 1) return malformed("more than one header says how long the body is");
    if (codings && head.version() < 11) return malformed("HTTP/1.0 knows no Transfer-Encoding");
    if (codings)
        if (auto refusal = check_codings(view(head[field::transfer_encoding]))) return refusal;
    framing.chunked = codings > 0;
    if (lengths) {
        const auto length = read_length(view(head[field::content_length]));
        if (!length) return malformed("the Content-Length of the request is no number");
        framing.length = *length;
    }
    const bool bodiless = head.method() == http::verb::get || head.method() == http::verb::head;
    if (bodiless && (framing.chunked || framing.length > 0)) return malformed("a GET or HEAD request has no body");
    return std::nullopt;
}

bool is_end_to_end(std::string_view name)
{
    return same_name(name.substr(0, 4), "Sec-") ||
           std::any_of(end_to_end.begin(), end_to_end.end(),
                       [&](std::string_view own) { return same_name(own, name); });
}

// Programs behind a CGI-like interface read API_KEY as API-KEY (RFC 3875 4.1.18): one that another server on the way
// passes by, unseen by its rules, must not mean something behind it.
bool reads_as_heeded(std::string_view name)
{
    if (name.find('_') == name.npos) return false;
    std::string dashed(name);
    std::replace(dashed.begin(), dashed.end(), '_', '-');
    return is_end_to_end(dashed) ||
           std::any_of(heeded.begin(), heeded.end(), [&](std::string_view own) { return same_name(own, dashed); });
}

std::optional<Refusal> check_names(const RequestHead& head)
{
    for (const auto& line : head) {
        const auto name = line.name_string();
        if (reads_as_heeded({name.data(), name.size()}))
            return malformed("a header's name has _ where the one it would be read as has -");
    }
    return std::nullopt;
}

std::optional<Refusal> read_connection(const RequestHead& head, RequestFraming& framing)
{
    framing.keep_alive = head.version() >= 11;
    bool close = false;
    const auto [from, through] = head.equal_range(field::connection);
    for (auto line = from; line != through; ++line)
        for (const std::string_view option : elements(view(line->value()))) {
            if (is_end_to_end(option)) return malformed("the Connection of the request names what is not its own");
            close = close || same_name(option, "close");
            framing.keep_alive = framing.keep_alive || same_name(option, "keep-alive");
        }
    framing.keep_alive = framing.keep_alive && !close;
    return std::nullopt;
}

} // namespace

std::variant<RequestFraming, Refusal> read_framing(const RequestHead& head)
{
    RequestFraming framing;
    if (const auto refusal = check_names(head)) return *refusal;
    if (const auto refusal = read_body_framing(head, framing)) return *refusal;
    if (const auto refusal = read_connection(head, framing)) return *refusal;
    framing.expects_continue = head.version() >= 11 && head.count(field::expect) > 0; // which, the guard asks
    return framing;
}

} // namespace alli::proxy
