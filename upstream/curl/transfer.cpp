// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/transfer.hpp"

#include "alli/error.hpp"
#include "upstream/curl/curl_set.hpp"
#include "upstream/header.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>

namespace alli::upstream {

using curl::set;

namespace {

// Status lines of interim answers included: an upstream that sends them without end is given up.
constexpr std::size_t max_header_bytes = std::size_t{256} << 10;
constexpr std::size_t max_header_line = std::size_t{64} << 10;
// What libcurl says of a line beyond its own limit of 100 KiB: since 8.6; before that it says CURLE_OUT_OF_MEMORY.
constexpr auto line_too_long = static_cast<CURLcode>(100);

} // namespace

Transfer::Transfer(asio::any_io_executor loop, Request request, const CurlOptions& options, const Origin& site)
    : request_(std::move(request)), options_(options), site_(site), timer_(std::move(loop)),
      started_(std::chrono::steady_clock::now()), last_progress_(started_)
{
    check_request(request_);
}

void Transfer::prepare(curl::Easy easy, Connections& connections)
{
    easy_ = std::move(easy);
    connections_ = &connections;
    connections.watch(easy_.get());
    set(easy_.get(), CURLOPT_PREREQFUNCTION, &Transfer::on_chosen);
    set(easy_.get(), CURLOPT_PREREQDATA, this);
    last_progress_ = std::chrono::steady_clock::now();
    const std::string url = site_.base + request_.target;
    set(easy_.get(), CURLOPT_URL, url.c_str());
    set_headers();
    set_body();
    set_limits();
    set_security();
    set_version();
    set(easy_.get(), CURLOPT_PRIVATE, this);
    set(easy_.get(), CURLOPT_ERRORBUFFER, detail_.data());
    set(easy_.get(), CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(easy_.get(), CURLOPT_HEADERDATA, this);
    set(easy_.get(), CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(easy_.get(), CURLOPT_WRITEDATA, this);
    set(easy_.get(), CURLOPT_NOPROGRESS, 0L);
    set(easy_.get(), CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set(easy_.get(), CURLOPT_XFERINFODATA, this);
}

void Transfer::set_headers()
{
    lines_.append("Expect:"); // never wait for a 100
    bool has_type = false;
    for (const Header& header : request_.headers) {
        if (is_framing(header.name)) continue;
        if (same_name(header.name, "Content-Type")) has_type = true;
        if (same_name(header.name, "Accept-Encoding")) decodes_ = false;
        lines_.append(header_line(header));
    }
    if (!has_type) lines_.append("Content-Type:"); // or libcurl would call every body a form
    set(easy_.get(), CURLOPT_HTTPHEADER, lines_.get());
    set(easy_.get(), CURLOPT_USERAGENT, "alli-mirror");
    if (decodes_) set(easy_.get(), CURLOPT_ACCEPT_ENCODING, "");
}

void Transfer::set_body()
{
    const auto& method = request_.method;
    const bool sends_body = !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
    if (method == "HEAD") {
        set(easy_.get(), CURLOPT_NOBODY, 1L);
        return;
    }
    if (sends_body) {
        set(easy_.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        set(easy_.get(), CURLOPT_POSTFIELDS, request_.body.c_str());
    }
    set(easy_.get(), CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Transfer::set_limits()
{
    const auto connect = std::max<std::chrono::milliseconds::rep>(1, options_.connect_timeout.count());
    set(easy_.get(), CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect));
    set(easy_.get(), CURLOPT_TCP_KEEPALIVE, 1L);
    set(easy_.get(), CURLOPT_DNS_CACHE_TIMEOUT, 60L);
    set(easy_.get(), CURLOPT_NOSIGNAL, 1L);
    // Without it, giving up a request joins the thread that still resolves its name, and the loop stands still.
    set(easy_.get(), CURLOPT_QUICK_EXIT, 1L);
    set(easy_.get(), CURLOPT_PATH_AS_IS, 1L);
}

void Transfer::set_version()
{
    set(easy_.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
}

void Transfer::set_security()
{
    set(easy_.get(), CURLOPT_FOLLOWLOCATION, 0L); // libcurl sends the key along to another host
    set(easy_.get(), CURLOPT_PROTOCOLS_STR, site_.protocols.c_str());
    set_proxy();
    set(easy_.get(), CURLOPT_SSL_VERIFYPEER, 1L);
    set(easy_.get(), CURLOPT_SSL_VERIFYHOST, 2L);
    set(easy_.get(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
}

// Whatever the environment says. Always a tunnel, for plain HTTP too: then all that comes as an answer is upstream's,
// and what the proxy says is never taken for it.
void Transfer::set_proxy()
{
    const ForwardProxy& proxy = options_.proxy;
    set(easy_.get(), CURLOPT_PROXY, proxy.url.c_str());
    set(easy_.get(), CURLOPT_NOPROXY, "");
    if (!proxy) return;
    set(easy_.get(), CURLOPT_HTTPPROXYTUNNEL, 1L);
    set(easy_.get(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    set(easy_.get(), CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE)); // the key is not for the proxy
    set(easy_.get(), CURLOPT_PROXYAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy_.get(), CURLOPT_SOCKS5_AUTH, static_cast<long>(CURLAUTH_BASIC));
    if (proxy.user.empty()) return;
    set(easy_.get(), CURLOPT_PROXYUSERNAME, proxy.user.c_str());
    set(easy_.get(), CURLOPT_PROXYPASSWORD, proxy.password.c_str());
}

curl::Easy Transfer::give_back()
{
    if (used_) connections_->release(*used_, this);
    used_.reset();
    if (easy_) curl_easy_reset(easy_.get()); // it must forget us before our lines and buffers go
    return std::move(easy_);
}

void Transfer::finish(CURLcode code)
{
    code_ = broke_ ? CURLE_GOT_NOTHING : code;
    if (code != CURLE_OK) {
        curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error_);
        curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_CONNECTCODE, &connect_status_);
        curl_easy_getinfo(easy_.get(), CURLINFO_PROXY_ERROR, &proxy_error_);
    }
    end(Ending::answered);
}

void Transfer::fail(std::exception_ptr error)
{
    failure_ = std::move(error);
    end(Ending::failed);
}

void Transfer::end(Ending ending)
{
    if (ended()) return;
    ending_ = ending;
    timer_.cancel();
    has_ended();
}

Transfer::Steady Transfer::deadline() const noexcept
{
    const auto stall = last_progress_ + options_.request_timeout;
    return request_.timeout.count() > 0 ? std::min(stall, started_ + request_.timeout) : stall;
}

Task<> Transfer::wait()
{
    while (!ended()) co_await wait_some();
}

// libcurl's own low-speed limit counts in whole seconds; this watchdog counts in milliseconds.
Task<> Transfer::wait_some()
{
    boost::system::error_code woken;
    timer_.expires_at(deadline());
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
    if (cancelled != asio::cancellation_type::none) throw boost::system::system_error(woken);
    if (ended() || std::chrono::steady_clock::now() < deadline()) co_return;
    const bool overdue = request_.timeout.count() > 0 && deadline() == started_ + request_.timeout;
    end(overdue ? Ending::overdue : Ending::stalled);
}

void Transfer::progressed() noexcept
{
    last_progress_ = std::chrono::steady_clock::now();
}

Reply Transfer::take()
{
    require_end();
    if (decodes_) drop_coding_headers();
    return std::move(reply_);
}

void Transfer::require_end() const
{
    if (failure_) std::rethrow_exception(failure_);
    if (ending_ == Ending::abandoned)
        throw Error(Fault::canceled, "", "the request to {} was given up because the program ends", site_.host);
    if (ending_ == Ending::stalled) throw timed_out(failure(), options_.request_timeout);
    if (ending_ == Ending::overdue) throw timed_out(failure(), request_.timeout);
    if (ending_ == Ending::too_large) throw too_large(site_.host, options_.max_reply_bytes);
    if (ending_ == Ending::malformed) throw malformed(site_.host);
    if (connected_ && (code_ == CURLE_OUT_OF_MEMORY || code_ == line_too_long)) throw malformed(site_.host);
    if (code_ == CURLE_OK) return;
    const Failure ended = failure();
    if (is_without_connection(ended)) throw NoConnection(error_of(ended));
    throw error_of(ended);
}

Failure Transfer::failure() const
{
    Failure failure;
    failure.host = site_.host;
    failure.proxy = options_.proxy.name;
    failure.code = code_;
    failure.detail = detail_.data();
    failure.answered = reply_.status != 0;
    failure.connected = connected_;
    failure.connect_timeout = options_.connect_timeout;
    failure.os_error = os_error_;
    failure.connect_status = connect_status_;
    failure.proxy_error = proxy_error_;
    return failure;
}

// What libcurl decoded no longer is as these say.
void Transfer::drop_coding_headers()
{
    if (!reply_.header("Content-Encoding")) return;
    std::erase_if(reply_.headers, [](const Header& header) {
        return same_name(header.name, "Content-Encoding") || same_name(header.name, "Content-Length");
    });
}

Transfer::Ending Transfer::read_header(std::string_view raw)
{
    header_bytes_ += raw.size();
    if (header_bytes_ > max_header_bytes) return Ending::too_large;
    if (raw.size() > max_header_line) return Ending::malformed;
    const std::string_view line = trimmed(raw);
    if (line.starts_with("HTTP/")) {
        reply_ = Reply{};
        const auto space = line.find(' ');
        if (space != line.npos) std::from_chars(line.data() + space + 1, line.data() + line.size(), reply_.status);
        headers_done_ = false;
        if (used_) used_->http1 = line.starts_with("HTTP/1.");
    } else if (line.empty()) {
        headers_done_ = true;
        if (reply_.status >= 200) head_came();
    } else if (!headers_done_) {
        if (raw.front() == ' ' || raw.front() == '\t') return Ending::malformed; // folded, which nobody may any more
        const auto colon = line.find(':');
        if (colon == line.npos) return Ending::none;
        Header header{std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))};
        if (!is_clean(header)) return Ending::malformed;
        reply_.headers.push_back(std::move(header));
    }
    return Ending::none;
}

std::size_t Transfer::take_body(std::string_view piece)
{
    if (piece.size() > options_.max_reply_bytes - reply_.body.size()) {
        end(Ending::too_large);
        return CURL_WRITEFUNC_ERROR;
    }
    reply_.body.append(piece);
    return piece.size();
}

int Transfer::on_chosen(void* self, char*, char* local_ip, int, int local_port) noexcept
try {
    auto& transfer = *static_cast<Transfer*>(self);
    // libcurl sends a request again where a kept connection breaks before the answer. A write may have been carried out
    // (RFC 9110, 9.2.2).
    const auto& method = transfer.request_.method;
    const bool is_safe = method == "GET" || method == "HEAD" || method == "OPTIONS";
    if (transfer.went_out_ && !is_safe) {
        transfer.broke_ = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer.used_) transfer.connections_->release(*transfer.used_, self);
    const Chosen chosen = transfer.connections_->use(transfer.easy(), self, local_ip, local_port);
    transfer.used_ = chosen.connection;
    transfer.connected_ = transfer.used_ != nullptr;
    transfer.went_out_ = !chosen.is_shut_down;
    return CURL_PREREQFUNC_OK;
} catch (const std::exception&) {
    return CURL_PREREQFUNC_ABORT;
}

// Exceptions must not pass through libcurl's C: out of memory ends the transfer as too large for us.
std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept
try {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.progressed();
    const Ending ending = transfer.read_header(std::string_view(data, size * count));
    if (ending == Ending::none) return size * count;
    transfer.end(ending);
    return 0;
} catch (const std::exception&) {
    static_cast<Transfer*>(self)->end(Ending::too_large);
    return 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept
try {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.progressed();
    return transfer.take_body(std::string_view(data, size * count));
} catch (const std::exception&) {
    static_cast<Transfer*>(self)->end(Ending::too_large);
    return CURL_WRITEFUNC_ERROR;
}

int Transfer::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) noexcept
{
    auto& transfer = *static_cast<Transfer*>(self);
    if (std::exchange(transfer.moved_, received + sent) != received + sent)
        transfer.last_progress_ = std::chrono::steady_clock::now();
    return 0;
}

} // namespace alli::upstream
