// SPDX-License-Identifier: Apache-2.0
// A forward proxy as companies have them, on a thread and a loopback port of its own: HTTP's CONNECT, or SOCKS 5.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace upstream_test {

class ProxyServer {
  public:
    enum class Kind { http, socks5 };
    struct Rules {
        Kind kind = Kind::http;
        std::string user = {}, password = {}; // empty: whoever comes
        std::string instead = {};             // bytes that it says to CONNECT; then it closes
        int socks_reply = 0;                  // RFC 1928, 6
        std::string lead_to = {};             // "127.0.0.1:PORT" whatever is asked for; empty: where it is asked for
    };

    explicit ProxyServer(Rules rules);
    ~ProxyServer();
    ProxyServer(const ProxyServer&) = delete;
    ProxyServer& operator=(const ProxyServer&) = delete;

    std::string name() const; // "127.0.0.1:PORT"
    /// What it was asked for: the whole head of a CONNECT, "HOST:PORT" of SOCKS.
    std::vector<std::string> asked() const;

    struct Inside;

  private:
    std::unique_ptr<Inside> inside_;
};

} // namespace upstream_test
