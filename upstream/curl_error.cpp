// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl_error.hpp"

#include <array>
#include <cerrno>
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
constexpr auto check_trust = "check the clock of this machine, the package ca-certificates, and whether a proxy on the "
                             "way replaces certificates";
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

Error unusable(const std::string& host, const std::string& reason, const char* hint)
{
    return Error(Fault::bad_reply, hint, "the answer of {} cannot be used: {}", host, reason);
}

} // namespace

Error error_of(const Failure& failure)
{
    if (failure.code == CURLE_OPERATION_TIMEDOUT)
        return timed_out(failure.host, failure.connect_timeout, failure.answered);
    const Row row = row_of(failure.code);
    if (row.fault == Fault::bad_reply) return unusable(failure.host, row.reason, row.hint);
    if (failure.answered) return unusable(failure.host, "it was cut short", check_url);
    return Error(row.fault, row.hint, "cannot reach {}: {}", failure.host, reason_of(failure, row));
}

Error timed_out(const std::string& host, std::chrono::milliseconds after, bool answered)
{
    return Error(Fault::unreachable, check_network, "cannot reach {}: timed out after {}{}", host, in_words(after),
                 answered ? ", in the middle of an answer" : "");
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
