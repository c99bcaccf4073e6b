// SPDX-License-Identifier: Apache-2.0
#include "http/request_parser.hpp"

#include <algorithm>

namespace alli::http {
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
    return text.size() == 8 && same_name(text.substr(0, 5), "HTTP/") && is_digit(text[5]) && text[6] == '.' &&
           is_digit(text[7]);
}

} // namespace

RequestParser::Result RequestParser::read(std::string_view bytes)
{
    for (; at_ < bytes.size(); ++at_) {
        // Most bytes change nothing. The last that a limit allows is looked at below.
        const std::size_t most = state_ == HeaderState::target
                                     ? std::min(limits_.header_bytes, method_end_ + limits_.target_bytes)
                                     : limits_.header_bytes;
        while (at_ + 1 < bytes.size() && at_ < most && next_state(state_, bytes[at_]) == state_) ++at_;
        const HeaderState next = next_state(state_, bytes[at_]);
        const bool changes = next != state_;
        if (changes) enter(bytes, next);
        state_ = next;
        if (is_excessive()) refusal_ = excess();
        if (!refusal_.detail.empty()) return Result::refused;
        if (!changes || state_ != HeaderState::end) continue;
        ++at_;
        return Result::done;
    }
    return Result::more;
}

// Records where the parts begin and end; the bytes between them are checked by then.
void RequestParser::enter(std::string_view bytes, HeaderState next)
{
    if (next == HeaderState::bad) refusal_ = malformed;
    if (next == HeaderState::target_start) method_end_ = at_;
    if (next == HeaderState::version) target_end_ = at_;
    if (next == HeaderState::name) lines_.push_back({at_, 0, 0});
    if (next == HeaderState::value) lines_.back().colon = at_;
    if (next == HeaderState::value_cr) lines_.back().end = at_;
    if (next != HeaderState::request_cr) return;
    const std::string_view version = bytes.substr(target_end_ + 1, at_ - target_end_ - 1);
    if (version == "HTTP/1.1")
        version_ = 11;
    else if (version == "HTTP/1.0")
        version_ = 10;
    else
        refusal_ = is_version(version) ? unknown_version : malformed;
}

Refusal RequestParser::excess() const noexcept
{
    if (state_ == HeaderState::target && at_ - method_end_ > limits_.target_bytes) return long_target;
    return at_ >= limits_.header_bytes ? long_head : many_lines;
}

std::string_view RequestParser::target(std::string_view bytes) const noexcept
{
    if (target_end_ == 0) return {};
    return bytes.substr(method_end_ + 1, target_end_ - method_end_ - 1);
}

RequestHead RequestParser::take(std::string_view bytes) const
{
    RequestHead head;
    head.method = bytes.substr(0, method_end_);
    head.target = target(bytes);
    head.version = version_;
    head.headers.reserve(lines_.size());
    for (const Line& line : lines_)
        head.headers.add(std::string(bytes.substr(line.begin, line.colon - line.begin)),
                         std::string(trimmed(bytes.substr(line.colon + 1, line.end - line.colon - 1))));
    return head;
}

} // namespace alli::http
