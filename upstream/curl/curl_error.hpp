// SPDX-License-Identifier: Apache-2.0
// libcurl's codes as an Error that a person can act on. Pure.
#pragma once

#include "alli/error.hpp"
#include "upstream/curl/handles.hpp"

#include <chrono>
#include <string>

namespace alli::upstream {

struct Failure {
    std::string host;
    std::string proxy; // through which it went; empty: none
    CURLcode code = CURLE_OK;
    std::string detail;      // libcurl's own words; never shown where they could hold a part of the URL
    long os_error = 0;       // errno of a failed connect
    long connect_status = 0; // of the proxy's answer to CONNECT
    long proxy_error = 0;    // CURLproxycode
    bool connected = false;  // all the way to upstream, TLS and all: the request could go out
    bool answered = false;   // a status line had come
    std::chrono::milliseconds connect_timeout{0};
};

Error error_of(const Failure& failure);
/// Whether no connection came about: what lies between us and upstream is broken, not one request. Not where it was for
/// want of descriptors or memory of ours.
bool is_without_connection(const Failure& failure) noexcept;
Error timed_out(const Failure& failure, std::chrono::milliseconds after);
Error malformed(const std::string& host);
Error too_large(const std::string& host, std::size_t limit);

} // namespace alli::upstream
