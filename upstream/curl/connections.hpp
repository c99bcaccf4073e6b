// SPDX-License-Identifier: Apache-2.0
// The connections that libcurl holds open, so that a request never goes out on one where something waits already: it
// would be taken for the answer (RFC 9112, 9.2). Descriptors come and go by libcurl's callbacks. Lives on one loop.
#pragma once

#include "upstream/curl/handles.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace alli::upstream {

/// One connection, for as long as libcurl has it open.
struct Connection {
    curl_socket_t fd = CURL_SOCKET_BAD;
    std::string local_ip; // as libcurl writes it; empty: not asked for yet
    int local_port = 0;
    bool http1 = false;         // an answer has said so: only one request at a time is on it
    const void* user = nullptr; // whose request is on it

    bool is_at(std::string_view ip, int port);
    /// Input, an end or an error, without waiting. One system call.
    bool has_input() const;
    /// Both ways, and what waits is thrown away: libcurl finds it dead, and opens another.
    void shut_down() const noexcept;
};

/// For a request.
struct Chosen {
    std::shared_ptr<Connection> connection; // none: it was shut down, or is not one of ours
    bool is_shut_down = false;              // nothing can go out on it
};

class Connections {
  public:
    /// From now on the connections that this handle opens are known here. They must be closed before this object goes.
    void watch(CURL* easy);

    /// The connection that libcurl has chosen for a request of `user`, at its last moment: not a byte has gone out.
    /// Shut down where something waits on it, and then all idle ones where something waits, because libcurl tries five
    /// at most.
    Chosen use(CURL* easy, const void* user, std::string_view local_ip, int local_port);
    /// It has ended, whatever it used.
    void release(const Connection& used, const void* user);

    std::size_t discarded() const noexcept { return discarded_; }

  private:
    static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept;
    static int on_close(void* self, curl_socket_t fd) noexcept;

    void sweep();

    using Slots = std::unordered_map<curl_socket_t, std::shared_ptr<Connection>>;
    Slots open_;
    std::size_t discarded_ = 0;
};

} // namespace alli::upstream
