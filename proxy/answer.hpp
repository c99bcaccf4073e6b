// SPDX-License-Identifier: Apache-2.0
// What goes back: our own response, rendered by hand so that head and body leave in one write, and the one place of
// this room where a failure becomes a status and a body. Error bodies never echo what was asked. Pure.
#pragma once

#include "alli/error.hpp"
#include "alli/source.hpp"
#include "upstream/http.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace alli::proxy {

using upstream::Header;

/// Text of an answer: its own, or one that several answers share.
class Body {
  public:
    Body() = default;
    Body(std::string text) : text_(std::move(text)) {}
    Body(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}

    std::string_view view() const noexcept;

  private:
    std::variant<std::string, std::shared_ptr<const std::string>> text_;
};

struct Response {
    int status = 200;
    std::vector<Header> headers; // what every answer carries is added while rendering
    Body body;
    std::unique_ptr<Source> stream;      // in the place of a body: it goes out piece by piece
    std::optional<std::uint64_t> length; // of the stream, where it is known; of a body that HEAD does not get
    bool sized = true;                   // false: an answer to HEAD of which nobody knows how long the body would be
    bool close = false;                  // the connection ends after it
};

/// Whose error shape a path speaks, and what it answers when upstream cannot be reached.
enum class Surface {
    contract_read, // upstream's shape; upstream away is 504
    webapi,        // upstream's shape; upstream away is 503, to be tried again
    ours,          // RFC 9457
};
Surface surface_of(std::string_view path) noexcept;

Response text_response(std::string_view type, Body body);

/// An error in the shape of the surface.
Response problem(Surface surface, int status, std::string_view detail, std::string_view hint = {});

/// What a handler threw. Never throws itself.
Response answer_of(const std::exception_ptr& failure, Surface surface) noexcept;

struct Manner { // of one answer on one connection
    bool head_only = false;
    bool old_protocol = false; // HTTP/1.0
    bool close = false;
};
/// How the peer learns where the body ends.
enum class Framing { none, length, chunked, until_close };
Framing framing_of(const Response& response, Manner manner) noexcept;
/// False for HEAD, and for a status that has none.
bool has_body(const Response& response, Manner manner) noexcept;

/// Status line and header block, to be followed by the body unless body_of() is empty.
std::string render_head(const Response& response, Manner manner);
std::string_view body_of(const Response& response, Manner manner) noexcept;

} // namespace alli::proxy
