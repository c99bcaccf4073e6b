// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/local_call.hpp"

#include "upstream/curl/curl_set.hpp"

#include <exception>
#include <sys/socket.h>

namespace alli::upstream {
namespace {

using curl::set;

struct Transfer {
    const LocalCall& call;
    LocalOutcome outcome;
    CURL* easy = nullptr;
    std::string body;
    int socket = -1;
    std::exception_ptr refusal; // nothing is thrown through libcurl
};

curl_socket_t open_socket(void* transfer, curlsocktype, curl_sockaddr* address)
{
    const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    static_cast<Transfer*>(transfer)->socket = socket;
    return socket < 0 ? CURL_SOCKET_BAD : socket;
}

// libcurl calls it between the connection and the first byte of the request.
int before_sending(void* given, char*, char*, int, int)
{
    auto& transfer = *static_cast<Transfer*>(given);
    try {
        if (transfer.call.approve) transfer.call.approve(transfer.socket);
    } catch (...) {
        transfer.refusal = std::current_exception();
        return CURL_PREREQFUNC_ABORT;
    }
    transfer.outcome.sent = true;
    return CURL_PREREQFUNC_OK;
}

long status_of(CURL* easy)
{
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

std::size_t pass_on(Transfer& transfer, std::string_view piece)
{
    try {
        transfer.call.sink(piece);
        return piece.size();
    } catch (...) {
        transfer.refusal = std::current_exception();
        return CURL_WRITEFUNC_ERROR;
    }
}

std::size_t take(char* bytes, std::size_t, std::size_t count, void* given)
{
    auto& transfer = *static_cast<Transfer*>(given);
    if (transfer.call.sink && status_of(transfer.easy) == 200) return pass_on(transfer, {bytes, count});
    if (count > transfer.call.max_bytes - transfer.body.size()) return CURL_WRITEFUNC_ERROR;
    transfer.body.append(bytes, count);
    return count;
}

curl::Slist make_headers(const LocalCall& call)
{
    curl::Slist headers;
    for (const char* unwanted : {"Accept:", "Expect:"}) headers.append(unwanted);
    headers.append("Connection: close");
    headers.append("Host: " + call.host);
    if (!call.key.empty()) headers.append("API-KEY: " + call.key);
    if (!call.cache_control.empty()) headers.append("Cache-Control: " + call.cache_control);
    headers.append(call.body.empty() ? "Content-Type:" : "Content-Type: application/json");
    return headers;
}

void place(CURL* easy, const LocalCall& call)
{
    set(easy, CURLOPT_URL, ("http://" + (call.unix_path.empty() ? call.address : "localhost") + "/").c_str());
    if (!call.unix_path.empty()) set(easy, CURLOPT_UNIX_SOCKET_PATH, call.unix_path.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http");
    set(easy, CURLOPT_PROXY, ""); // whatever the environment says
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    if (!call.sink) return set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(call.patience.count()));
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(call.patience.count()));
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(call.patience.count() / 1000));
}

void fill(CURL* easy, const LocalCall& call, const curl::Slist& headers)
{
    set(easy, CURLOPT_REQUEST_TARGET, call.target.c_str()); // byte for byte
    set(easy, CURLOPT_HTTPHEADER, headers.get());
    if (call.method != "GET" && call.method != "DELETE") { // with a length, also of nothing
        set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
        set(easy, CURLOPT_POSTFIELDS, call.body.c_str());
    }
    set(easy, CURLOPT_CUSTOMREQUEST, call.method.c_str());
}

void listen_to(CURL* easy, Transfer& transfer)
{
    set(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
    set(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    set(easy, CURLOPT_PREREQFUNCTION, &before_sending);
    set(easy, CURLOPT_PREREQDATA, &transfer);
    set(easy, CURLOPT_WRITEFUNCTION, &take);
    set(easy, CURLOPT_WRITEDATA, &transfer);
}

} // namespace

LocalOutcome call_local(const LocalCall& call)
{
    const curl::Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    Transfer transfer{call, {}, easy.get(), {}, -1, {}};
    const curl::Slist headers = make_headers(call);
    place(easy.get(), call);
    fill(easy.get(), call, headers);
    listen_to(easy.get(), transfer);
    const CURLcode code = curl_easy_perform(easy.get());
    if (transfer.refusal) std::rethrow_exception(transfer.refusal);
    const long status = status_of(easy.get());
    if (code == CURLE_OK && status != 0)
        transfer.outcome.answer = LocalAnswer{static_cast<int>(status), std::move(transfer.body)};
    return std::move(transfer.outcome);
}

} // namespace alli::upstream
