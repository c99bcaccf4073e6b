// SPDX-License-Identifier: Apache-2.0
#include "upstream/http.hpp"

#include "alli/error.hpp"
#include "upstream/header.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

constexpr auto methods = std::to_array<std::string_view>({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
constexpr auto framing = std::to_array<std::string_view>(
    {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Expect", "Upgrade", "TE", "Trailer"});

constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_token(std::string_view name)
{
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
    });
}

bool is_clean_value(std::string_view value)
{
    return value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos;
}

// A '#' would end the URL for libcurl, a blank or a control character the request line.
bool is_clean_target(std::string_view target)
{
    return target.starts_with('/') && std::all_of(target.begin(), target.end(), [](char c) {
               return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && c != '#';
           });
}

} // namespace

const std::string* Reply::header(std::string_view name) const noexcept
{
    for (const Header& header : headers)
        if (same_name(header.name, name)) return &header.value;
    return nullptr;
}

std::string_view value_of(const std::vector<Header>& headers, std::string_view name) noexcept
{
    for (const Header& header : headers)
        if (same_name(header.name, name)) return header.value;
    return {};
}

bool same_name(std::string_view a, std::string_view b) noexcept
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) noexcept
{
    constexpr std::string_view blank = " \t\r\n";
    const auto first = text.find_first_not_of(blank);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool is_framing(std::string_view name) noexcept
{
    return std::any_of(framing.begin(), framing.end(), [&](std::string_view own) { return same_name(own, name); });
}

bool is_clean(const Header& header) noexcept
{
    return is_token(header.name) && is_clean_value(header.value);
}

std::string header_line(const Header& header)
{
    return header.value.empty() ? header.name + ";" : header.name + ": " + header.value;
}

void check_request(const Request& request)
{
    if (std::find(methods.begin(), methods.end(), request.method) == methods.end())
        throw Error(Fault::usage, "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS",
                    "the method of a request upstream is not known");
    if (!is_clean_target(request.target))
        throw Error(Fault::usage, "percent-encode what is no part of a path", "the target of a request is not a path");
    for (const Header& header : request.headers)
        if (!is_clean(header))
            throw Error(Fault::usage, "a header is one line of text",
                        "a header of a request upstream is not well formed");
}

} // namespace alli::upstream
