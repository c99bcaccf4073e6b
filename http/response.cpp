// SPDX-License-Identifier: Apache-2.0
#include "http/response.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace alli::http {
namespace {

struct Reason {
    int status;
    std::string_view phrase;
};
constexpr auto reasons = std::to_array<Reason>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Entity"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {510, "Not Extended"},
    {511, "Network Authentication Required"},
});
static_assert(std::is_sorted(reasons.begin(), reasons.end(),
                             [](const Reason& a, const Reason& b) { return a.status < b.status; }));

bool bodiless(int status)
{
    return status == 204 || status == 304 || status < 200;
}

void append(std::string& head, std::string_view name, std::string_view value)
{
    head.append(name).append(": ").append(value).append("\r\n");
}

void append(std::string& head, const Headers& headers)
{
    for (const Header& header : headers) append(head, header.name, header.value);
}

std::string begin_head(int status, const Headers& headers, Framing framing, std::uint64_t length,
                       std::span<const DefaultHeader> defaults)
{
    std::string head;
    head.reserve(640);
    fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", status, reason_phrase(status));
    append(head, headers);
    for (const DefaultHeader& standard : defaults)
        if (!headers.find(standard.name)) append(head, standard.name, standard.value);
    if (framing == Framing::length) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", length);
    if (framing == Framing::chunked) append(head, "Transfer-Encoding", "chunked");
    return head;
}

std::string end_head(std::string head, const WriteOptions& options)
{
    if (options.close) append(head, "Connection", "close");
    if (options.http10 && !options.close) append(head, "Connection", "keep-alive");
    return head += "\r\n";
}

} // namespace

std::string_view Body::view() const noexcept
{
    if (const auto* own = std::get_if<std::string>(&text_)) return *own;
    const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&text_);
    return shared && *shared ? std::string_view(**shared) : std::string_view{};
}

const MemoryFile::Extent* Body::extent() const noexcept
{
    const auto* in_file = std::get_if<std::shared_ptr<const MemoryFile::Extent>>(&text_);
    return in_file ? in_file->get() : nullptr;
}

std::size_t Body::size() const noexcept
{
    return extent() ? extent()->size() : view().size();
}

std::string Body::text() const
{
    return extent() ? extent()->text() : std::string(view());
}

Framing framing_of(const Response& response, const WriteOptions& options) noexcept
{
    if (bodiless(response.status)) return Framing::none;
    if (response.length) return Framing::length;
    if (!response.stream) return response.sized ? Framing::length : Framing::none;
    if (options.head_only) return Framing::none;
    return options.http10 ? Framing::until_close : Framing::chunked;
}

bool has_body(const Response& response, const WriteOptions& options) noexcept
{
    return !options.head_only && !bodiless(response.status);
}

std::string_view body_of(const Response& response, const WriteOptions& options) noexcept
{
    return has_body(response, options) ? response.body.view() : std::string_view{};
}

std::string render_head(const Response& response, const WriteOptions& options)
{
    if (response.shared_head) {
        std::string head;
        head.reserve(response.shared_head->size() + 128);
        head = *response.shared_head;
        append(head, response.headers);
        return end_head(std::move(head), options);
    }
    return render_head(response.status, response.headers, framing_of(response, options),
                       response.length.value_or(response.body.size()), options);
}

std::string render_shared_head(int status, const Headers& headers, std::uint64_t length,
                               std::span<const DefaultHeader> defaults)
{
    return begin_head(status, headers, bodiless(status) ? Framing::none : Framing::length, length, defaults);
}

std::string render_head(int status, const Headers& headers, Framing framing, std::uint64_t length,
                        const WriteOptions& options)
{
    return end_head(begin_head(status, headers, framing, length, options.defaults), options);
}

std::string_view reason_phrase(int status) noexcept
{
    const auto* found = std::lower_bound(reasons.begin(), reasons.end(), status,
                                         [](const Reason& reason, int wanted) { return reason.status < wanted; });
    return found != reasons.end() && found->status == status ? found->phrase : std::string_view{};
}

} // namespace alli::http
