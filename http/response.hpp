// SPDX-License-Identifier: Apache-2.0
// A response and its header block, which is rendered into one string so that header block and body leave in one write.
// Pure.
#pragma once

#include "alli/headers.hpp"
#include "alli/source.hpp"
#include "http/memory_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace alli::http {

/// A text, owned or shared with other responses, in memory or in a file in memory.
class Body {
  public:
    Body() = default;
    Body(std::string text) : text_(std::move(text)) {}
    Body(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}
    Body(std::shared_ptr<const MemoryFile::Extent> extent) : text_(std::move(extent)) {}

    std::size_t size() const noexcept;
    std::string_view view() const noexcept;            // empty where it is in a file
    const MemoryFile::Extent* extent() const noexcept; // null where it is not
    std::string text() const;                          // a copy, wherever it is

  private:
    std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<const MemoryFile::Extent>> text_;
};

struct Response {
    int status = 200;
    Headers headers; // framing and default headers are added while rendering
    /// Shared with other responses: made by render_shared_head(). `headers` follow it.
    std::shared_ptr<const std::string> shared_head;
    Body body;
    std::unique_ptr<Source> stream;      // instead of `body`: sent piece by piece
    std::optional<std::uint64_t> length; // of the stream, where it is known; of a body that HEAD does not get
    bool sized = true;                   // false: a response to HEAD; the length of the body is unknown
    bool close = false;                  // the connection ends after it
};

/// How the peer learns where the body ends.
enum class Framing { none, length, chunked, until_close };

struct DefaultHeader {
    std::string_view name, value;
};

struct WriteOptions {
    bool head_only = false; // the request was HEAD
    bool http10 = false;    // the client speaks HTTP/1.0
    bool close = false;
    std::span<const DefaultHeader> defaults = {}; // added unless the response has a header of that name
};

Framing framing_of(const Response& response, const WriteOptions& options) noexcept;
/// False for HEAD, and for a status that has none.
bool has_body(const Response& response, const WriteOptions& options) noexcept;

/// Status line and header block, to be followed by the body unless body_of() is empty.
std::string render_head(const Response& response, const WriteOptions& options);
std::string_view body_of(const Response& response, const WriteOptions& options) noexcept;

/// What responses to several requests have in common: up to the headers of each, with framing and default headers.
/// `length`: of the body.
std::string render_shared_head(int status, const Headers& headers, std::uint64_t length,
                               std::span<const DefaultHeader> defaults);

/// The same of parts. `length`: of the body, where the framing is by length.
std::string render_head(int status, const Headers& headers, Framing framing, std::uint64_t length,
                        const WriteOptions& options);

/// The reason phrase of a status code (RFC 9110 15 and the registry); empty: the code is not registered.
std::string_view reason_phrase(int status) noexcept;

} // namespace alli::http
