// SPDX-License-Identifier: Apache-2.0
// One request under way: what it asks is set on an easy handle, what comes back is gathered into a Reply, and how it
// ended becomes that Reply or an Error. Lives on the loop of its transport; libcurl calls into it, it never calls the
// multi.
#pragma once

#include "upstream/curl/connections.hpp"
#include "upstream/curl/curl_error.hpp"
#include "upstream/curl/curl_options.hpp"
#include "upstream/curl/handles.hpp"
#include "upstream/curl/origin.hpp"
#include "upstream/http.hpp"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <exception>

namespace alli::upstream {

class Transfer {
  public:
    using Steady = std::chrono::steady_clock::time_point;
    enum class Ending { none, answered, stalled, overdue, too_large, malformed, abandoned, failed };

    /// Throws Error{usage} for a request that must not go out as it is: an unknown method, a target that is not a path,
    /// a header that would break the framing. `options` and `site` must outlive it.
    Transfer(asio::any_io_executor loop, Request request, const CurlOptions& options, const Origin& site);
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;
    virtual ~Transfer() = default;

    /// Takes the handle and sets every option on it. `connections` must outlive the transfer.
    void prepare(curl::Easy easy, Connections& connections);
    CURL* easy() const noexcept { return easy_.get(); }
    curl::Easy give_back();

    bool ended() const noexcept { return ending_ != Ending::none; }
    void finish(CURLcode code);
    void end(Ending ending);
    /// It could not begin: take() throws what is given here.
    void fail(std::exception_ptr error);
    /// Waits for the end, at most until its own deadline; returns either way. Cancellation ends it with
    /// operation_aborted.
    Task<> wait();

    /// The reply, or the Error that this ending is.
    Reply take();

  protected:
    virtual void set_body(); // the method too
    virtual void set_version();
    /// What libcurl's write callback may return.
    virtual std::size_t take_body(std::string_view piece);
    virtual void head_came() {}
    virtual void has_ended() {}

    void never_decode() noexcept { decodes_ = false; }
    const std::string& method() const noexcept { return request_.method; }
    int status() const noexcept { return reply_.status; }
    Reply take_head() { return std::move(reply_); }
    /// Throws the Error that its end is, unless that was a whole answer.
    void require_end() const;
    /// Until wake(), the end, or its own deadline, which is an end.
    Task<> wait_some();
    void wake() { timer_.cancel(); }
    void progressed() noexcept;

  private:
    static int on_chosen(void* self, char*, char* local_ip, int, int local_port) noexcept;
    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;
    static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) noexcept;

    void set_headers();
    void set_limits();
    void set_security();
    void set_proxy();
    Failure failure() const;
    Ending read_header(std::string_view raw);
    Steady deadline() const noexcept;
    void drop_coding_headers();

    Request request_;
    const CurlOptions& options_;
    const Origin& site_;
    asio::steady_timer timer_; // the watchdog, and by its cancellation the signal that the end is there
    Steady started_;
    Steady last_progress_;
    curl_off_t moved_ = 0; // bytes either way
    curl::Easy easy_;
    Connections* connections_ = nullptr;
    std::shared_ptr<Connection> used_; // what it goes by
    curl::Slist lines_;
    std::array<char, CURL_ERROR_SIZE> detail_{};
    Reply reply_;
    std::size_t header_bytes_ = 0;
    bool connected_ = false;    // all the way: the request could go out
    bool went_out_ = false;     // by a connection
    bool broke_ = false;        // that one broke, and it must not go out by another
    bool headers_done_ = false; // what comes as a header afterwards is a trailer
    bool decodes_ = true;       // false where the request chose its own Accept-Encoding
    Ending ending_ = Ending::none;
    std::exception_ptr failure_;
    CURLcode code_ = CURLE_OK;
    long os_error_ = 0;                         // errno of a failed connect
    long connect_status_ = 0, proxy_error_ = 0; // what a proxy said
};

} // namespace alli::upstream
