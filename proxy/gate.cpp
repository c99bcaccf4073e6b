// SPDX-License-Identifier: Apache-2.0
#include "proxy/gate.hpp"

#include "upstream/header.hpp"

namespace alli::proxy {
namespace {

constexpr Refusal malformed{400, "the request is not well formed", true};
constexpr Refusal unknown_version{505, "the only protocols known here are HTTP/1.0 and HTTP/1.1", true};
constexpr Refusal long_target{414, "the target of the request is too long", true};
constexpr Refusal long_head{431, "the header of the request is too long", true};
constexpr Refusal many_lines{431, "the request has too many header lines", true};

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_version(std::string_view text)
{
    return text.size() == 8 && upstream::same_name(text.substr(0, 5), "HTTP/") && is_digit(text[5]) && text[6] == '.' &&
           is_digit(text[7]);
}

boost::beast::string_view view(std::string_view text)
{
    return {text.data(), text.size()};
}

} // namespace

HeadReader::Result HeadReader::read(std::string_view bytes)
{
    for (; at_ < bytes.size(); ++at_) {
        const At next = step(state_, bytes[at_]);
        if (next == At::bad) refusal_ = malformed;
        if (next != state_) enter(bytes, next);
        state_ = next;
        if (const auto refusal = excess()) refusal_ = *refusal;
        if (!refusal_.detail.empty()) return Result::refused;
        if (state_ != At::end) continue;
        ++at_;
        return Result::done;
    }
    return Result::more;
}

// Notes where the parts begin and end; what stands between is checked by then.
void HeadReader::enter(std::string_view bytes, At next)
{
    if (next == At::target_start) method_end_ = at_;
    if (next == At::version) target_end_ = at_;
    if (next == At::name) lines_.push_back({at_, 0, 0});
    if (next == At::value) lines_.back().colon = at_;
    if (next == At::value_cr) lines_.back().end = at_;
    if (next != At::request_cr) return;
    const std::string_view version = bytes.substr(target_end_ + 1, at_ - target_end_ - 1);
    if (version == "HTTP/1.1")
        version_ = 11;
    else if (version == "HTTP/1.0")
        version_ = 10;
    else
        refusal_ = is_version(version) ? unknown_version : malformed;
}

std::optional<Refusal> HeadReader::excess() const noexcept
{
    if (state_ == At::target && at_ - method_end_ > limits_.target) return long_target;
    if (at_ >= limits_.bytes) return long_head;
    if (lines_.size() > limits_.lines) return many_lines;
    return std::nullopt;
}

std::string_view HeadReader::target(std::string_view bytes) const noexcept
{
    if (target_end_ == 0) return {};
    return bytes.substr(method_end_ + 1, target_end_ - method_end_ - 1);
}

RequestHead HeadReader::take(std::string_view bytes) const
{
    RequestHead head;
    head.method_string(view(bytes.substr(0, method_end_)));
    head.target(view(target(bytes)));
    head.version(static_cast<unsigned>(version_));
    for (const Line& line : lines_) {
        const std::string_view name = bytes.substr(line.begin, line.colon - line.begin);
        const std::string_view value = upstream::trimmed(bytes.substr(line.colon + 1, line.end - line.colon - 1));
        head.insert(view(name), view(value));
    }
    return head;
}

} // namespace alli::proxy
