// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/curl_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

namespace alli::upstream {
namespace {

struct Row {
    CURLcode code;
    Fault fault;
    const char* reason;
    const char* hint;
    bool with_detail; // libcurl's words add something and hold nothing secret
};

constexpr auto check_network = "check the network, the firewall and upstream.url";
constexpr auto check_trust =
    "check the clock of this machine and the package ca-certificates; where a company's proxy replaces certificates, "
    "upstream.ca_file names the file of its own authority (PEM)";
constexpr auto check_url = "is upstream.url right? something that is not the API answered, or broke off";

constexpr auto rows = std::to_array<Row>({
    {CURLE_COULDNT_RESOLVE_HOST, Fault::unreachable, "no such host",
     "check upstream.url and the name service (DNS) of this machine", false},
    {CURLE_COULDNT_CONNECT, Fault::unreachable, "no connection", check_network, false},
    {CURLE_GOT_NOTHING, Fault::unreachable, "the connection was closed without an answer", check_network, false},
    {CURLE_PEER_FAILED_VERIFICATION, Fault::unreachable, "its certificate is not trusted", check_trust, true},
    {CURLE_SSL_CONNECT_ERROR, Fault::unreachable, "TLS failed", "is this an https address? TLS 1.2 or newer is needed",
     true},
    {CURLE_SSL_CACERT_BADFILE, Fault::unreachable, "the list of trusted certificates cannot be read", check_trust,
     false},
    {CURLE_SEND_ERROR, Fault::unreachable, "the connection broke", check_network, false},
    {CURLE_RECV_ERROR, Fault::unreachable, "the connection broke", check_network, false},
    {CURLE_PARTIAL_FILE, Fault::bad_reply, "it was cut short", check_url, false},
    {CURLE_BAD_CONTENT_ENCODING, Fault::bad_reply, "its compression is damaged", check_url, false},
    {CURLE_UNSUPPORTED_PROTOCOL, Fault::bad_reply, "it is not HTTP", check_url, false},
    {CURLE_WEIRD_SERVER_REPLY, Fault::bad_reply, "it is not HTTP", check_url, false},
    {CURLE_HTTP2, Fault::bad_reply, "its HTTP/2 framing is broken", check_url, false},
    {CURLE_HTTP2_STREAM, Fault::bad_reply, "its HTTP/2 stream was reset", check_url, false},
});

Row row_of(CURLcode code)
{
    for (const Row& row : rows)
        if (row.code == code) return row;
    Row other{code, Fault::unreachable, curl_easy_strerror(code), check_network, false};
    return other;
}

std::string in_words(std::chrono::milliseconds time)
{
    if (time.count() % 1000 == 0) return fmt::format("{} s", time.count() / 1000);
    return fmt::format("{} ms", time.count());
}

std::string reason_of(const Failure& failure, const Row& row)
{
    if (failure.code == CURLE_COULDNT_CONNECT && failure.os_error == ECONNREFUSED) return "connection refused";
    if (failure.code == CURLE_COULDNT_CONNECT && failure.os_error > 0)
        return std::generic_category().message(static_cast<int>(failure.os_error));
    if (row.with_detail && !failure.detail.empty()) return fmt::format("{} ({})", row.reason, failure.detail);
    return row.reason;
}

std::string way_to(const Failure& failure)
{
    return failure.proxy.empty() ? failure.host : fmt::format("{} through the proxy {}", failure.host, failure.proxy);
}

// Of SOCKS; what is not here is said by its number.
struct ProxyRow {
    CURLproxycode code;
    const char* reason;
    const char* hint;
};
constexpr auto check_user =
    "name the user in upstream.proxy (http://user@host:port), and keep the password in the file "
    "that upstream.proxy_password_file names";
constexpr auto check_proxy =
    "is upstream.proxy right? it must be a proxy that lets this machine through to upstream.url";
constexpr auto proxy_rows = std::to_array<ProxyRow>({
    {CURLPX_USER_REJECTED, "it refuses the user or the password", check_user},
    {CURLPX_NO_AUTH, "it wants a user and a password", check_user},
    {CURLPX_REPLY_NOT_ALLOWED, "its rules do not allow it", check_proxy},
    {CURLPX_REPLY_CONNECTION_REFUSED, "upstream refused the connection", check_network},
    {CURLPX_REPLY_HOST_UNREACHABLE, "it finds no such host", check_network},
    {CURLPX_REPLY_NETWORK_UNREACHABLE, "it finds no way there", check_network},
    {CURLPX_REPLY_TTL_EXPIRED, "it finds no way there", check_network},
    {CURLPX_REPLY_GENERAL_SERVER_FAILURE, "it failed", check_network},
    {CURLPX_BAD_VERSION, "it does not speak SOCKS 5", check_proxy},
    {CURLPX_CLOSED, "it closed the connection", check_proxy},
});

Error refused(const Failure& failure, const std::string& reason, const char* hint)
{
    return Error(Fault::unreachable, hint, "cannot reach {}: the proxy {} refused: {}", failure.host, failure.proxy,
                 reason);
}

Error refused_by_status(const Failure& failure)
{
    const long status = failure.connect_status;
    if (status == 407) return refused(failure, "407, it wants a user and a password, or others", check_user);
    const bool is_gateways = status == 502 || status == 503 || status == 504;
    return refused(failure, std::to_string(status), is_gateways ? check_network : check_proxy);
}

Error refused_by_socks(const Failure& failure)
{
    for (const ProxyRow& row : proxy_rows)
        if (row.code == failure.proxy_error) return refused(failure, row.reason, row.hint);
    return refused(failure, fmt::format("no tunnel (libcurl's number {})", failure.proxy_error), check_proxy);
}

// What went wrong between us and the proxy, or what it said of its own; none: it was not the proxy.
std::optional<Error> said_by_proxy(const Failure& failure)
{
    if (failure.proxy.empty() || failure.answered || failure.connected) return std::nullopt;
    if (failure.code == CURLE_COULDNT_RESOLVE_PROXY)
        return Error(Fault::unreachable, "check upstream.proxy and the name service (DNS) of this machine",
                     "cannot reach {}: there is no such host as the proxy {}", failure.host, failure.proxy);
    if (failure.code == CURLE_COULDNT_CONNECT)
        return Error(Fault::unreachable, "check upstream.proxy, the network and the firewall",
                     "cannot reach {}: the proxy {}: {}", failure.host, failure.proxy,
                     reason_of(failure, row_of(failure.code)));
    if (failure.code == CURLE_PROXY) return refused_by_socks(failure);
    if (failure.connect_status != 0 && failure.connect_status / 100 != 2) return refused_by_status(failure);
    return std::nullopt;
}

Error unusable(const std::string& host, const std::string& reason, const char* hint)
{
    return Error(Fault::bad_reply, hint, "the answer of {} cannot be used: {}", host, reason);
}

} // namespace

Error error_of(const Failure& failure)
{
    if (failure.code == CURLE_OPERATION_TIMEDOUT) return timed_out(failure, failure.connect_timeout);
    if (auto said = said_by_proxy(failure)) return *std::move(said);
    const Row row = row_of(failure.code);
    const bool is_upstreams = failure.proxy.empty() || failure.connected; // before that the proxy alone has spoken
    if (row.fault == Fault::bad_reply && is_upstreams) return unusable(failure.host, row.reason, row.hint);
    if (failure.answered) return unusable(failure.host, "it was cut short", check_url);
    return Error(Fault::unreachable, row.hint, "cannot reach {}: {}", way_to(failure), reason_of(failure, row));
}

bool is_without_connection(const Failure& failure) noexcept
{
    constexpr auto codes = std::to_array<CURLcode>(
        {CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
         CURLE_PEER_FAILED_VERIFICATION, CURLE_OPERATION_TIMEDOUT}); // libcurl's own is of connecting alone
    constexpr auto ours = std::to_array<long>({EMFILE, ENFILE, ENOBUFS, ENOMEM});
    if (failure.answered || std::find(ours.begin(), ours.end(), failure.os_error) != ours.end()) return false;
    return std::find(codes.begin(), codes.end(), failure.code) != codes.end();
}

Error timed_out(const Failure& failure, std::chrono::milliseconds after)
{
    return Error(Fault::unreachable, check_network, "cannot reach {}: timed out after {}{}", way_to(failure),
                 in_words(after), failure.answered ? ", in the middle of an answer" : "");
}

Error malformed(const std::string& host)
{
    return unusable(host, "a header of it is not well formed", check_url);
}

Error too_large(const std::string& host, std::size_t limit)
{
    return unusable(host, fmt::format("it is larger than {} bytes", limit), check_url);
}

} // namespace alli::upstream
