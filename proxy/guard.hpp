// SPDX-License-Identifier: Apache-2.0
// Who may call, decided on the header alone, before a body byte is read and before any route:
// framing, Host, page-made requests, method, key, target. Pure: any thread.
#pragma once

#include "proxy/seal.hpp"
#include "proxy/server.hpp"

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace alli::proxy {

using RequestHead = boost::beast::http::header<true, boost::beast::http::fields>;

/// Whom a connection came from.
struct Peer {
    bool local_socket = false; // a Unix socket: no port
    bool trusted = false;      // of the daemon's own user, or root
    std::uint16_t port = 0;    // ours, the one it called
};

struct Refusal {
    int status = 400;
    std::string_view detail; // constant: never says what was wrong with a key
    bool close = false;
};

class Guard {
  public:
    explicit Guard(const Options& options);

    std::optional<Refusal> check(const RequestHead& head, const Peer& peer) const;

  private:
    struct AllowedHost {
        std::string name; // lower case
        std::optional<std::uint16_t> port;
    };

    std::optional<Refusal> check_host(const RequestHead& head, const Peer& peer) const;
    std::optional<Refusal> check_key(const RequestHead& head) const;
    bool is_allowed(std::string_view host, std::uint16_t port, const Peer& peer) const;
    bool is_key(std::string_view key) const;

    std::vector<AllowedHost> hosts_;
    std::vector<Digest> keys_;
    bool require_key_;
    std::size_t target_bytes_;
};

/// The part of a target behind the authority: "/x?y" of "http://host/x?y", the same of "/x?y".
std::string_view origin_form(std::string_view target) noexcept;

} // namespace alli::proxy
