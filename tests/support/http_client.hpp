// SPDX-License-Identifier: Apache-2.0
// A small blocking HTTP client for tests: one exchange, or several over one connection. Never waits longer than ten
// seconds, and tells what came even when the answer was cut short or reset.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpReply {
    int status = 0; // 0: no answer came
    Headers headers;
    std::string body;      // as far as it came
    bool complete = false; // whether it came whole
    bool keep_alive = false;
    std::string error; // of a reply that is not complete

    std::string_view header(std::string_view name) const; // empty: none
};

/// The key of a sandbox, as most requests of tests carry it.
Headers sandbox_key();

class HttpConnection {
  public:
    /// To 127.0.0.1. A connection that fails shows in the first reply's error.
    explicit HttpConnection(std::uint16_t port);
    ~HttpConnection();

    HttpReply send(std::string_view method, std::string_view target, const Headers& headers = sandbox_key(),
                   std::string_view body = {});

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

/// One request over a connection of its own. The target goes out byte for byte.
HttpReply http(std::uint16_t port, std::string_view method, std::string_view target,
               const Headers& headers = sandbox_key(), std::string_view body = {});

} // namespace support
