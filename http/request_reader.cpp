// SPDX-License-Identifier: Apache-2.0
#include "http/request_reader.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace alli::http {
namespace {

using Code = boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::size_t head_read = 4096, body_read = 64 * 1024;
constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr Refusal late{408, "the request did not come in time", true};
constexpr Refusal left_early{400, "the body of the request is not complete", true};
constexpr Refusal bad_chunks{400, "the chunks of the request's body are not well formed", true};
constexpr Refusal long_body{413, "the body of the request is too long", true};

} // namespace

Task<bool> RequestReader::wait(std::chrono::milliseconds longest)
{
    begin();
    if (has_pipelined()) co_return true;
    if (buffer_.capacity() >= body_read) buffer_ = {};
    deadline_.allow(longest);
    co_return co_await read_more(head_read);
}

void RequestReader::begin()
{
    buffer_.consume(std::exchange(handed_, 0));
    head_ = {};
    framing_ = {};
    chunks_ = {};
    left_ = received_ = 0;
    waited_ = {};
    complete_ = true;
    gone_ = unfinished_ = stored_ = continue_ = given_up_ = false;
}

Task<RequestReader::HeadResult> RequestReader::read_head()
{
    unfinished_ = true;
    deadline_.allow(limits_.header);
    RequestParser parser(limits_);
    HeadResult read;
    RequestParser::Result result = parser.read(buffer_.view());
    while (result == RequestParser::Result::more) {
        const bool more = co_await read_more(head_read);
        if (!more) break;
        result = parser.read(buffer_.view());
    }
    if (result == RequestParser::Result::done) read.refusal = accept_head(parser);
    if (result == RequestParser::Result::refused) read.refusal = parser.refusal();
    if (result == RequestParser::Result::more && deadline_.missed()) read.refusal = late;
    read.gone = result == RequestParser::Result::more && !deadline_.missed();
    if (head_.target.empty()) head_.target = parser.target(buffer_.view()); // the format of a refusal follows the path
    deadline_.lift();
    unfinished_ = false;
    co_return read;
}

std::optional<Refusal> RequestReader::accept_head(const RequestParser& parser)
{
    head_ = parser.take(buffer_.view());
    buffer_.consume(parser.size());
    const auto framing = read_framing(head_);
    if (const auto* refusal = std::get_if<Refusal>(&framing)) return *refusal;
    framing_ = std::get<RequestFraming>(framing);
    left_ = framing_.length;
    complete_ = !framing_.chunked && left_ == 0;
    continue_ = framing_.expects_continue && !complete_;
    return std::nullopt;
}

Task<std::optional<std::string_view>> RequestReader::next()
{
    buffer_.consume(std::exchange(handed_, 0));
    // g++ 12 allows no co_await in the condition.
    for (;;) {
        if (complete_ || given_up_) co_return std::nullopt;
        handed_ = find_data();
        received_ += handed_;
        if (handed_ > 0) co_return buffer_.view().substr(0, handed_);
        if (!complete_) co_await read_body();
    }
}

// Consumes framing at the front of the buffer; the number of body bytes that follow there.
std::size_t RequestReader::find_data()
{
    if (!framing_.chunked) {
        const auto found = static_cast<std::size_t>(std::min<std::uint64_t>(left_, buffer_.view().size()));
        left_ -= found;
        complete_ = left_ == 0;
        return found;
    }
    const ChunkReader::Piece piece = chunks_.read(buffer_.view());
    buffer_.consume(piece.framing);
    if (piece.result == ChunkReader::Result::refused) throw Refused(bad_chunks);
    complete_ = piece.result == ChunkReader::Result::done;
    return piece.data;
}

Task<> RequestReader::read_body()
{
    if (buffer_.empty() && std::exchange(continue_, false)) co_await send_continue();
    if (given_up_) co_return;
    const auto begun = steady_clock::now();
    deadline_.allow(patience());
    reads_body_ = true;
    const bool more = co_await read_more(body_read);
    reads_body_ = false;
    waited_ += steady_clock::now() - begun;
    if (!more && deadline_.missed()) throw Refused(late);
    deadline_.lift();
    if (given_up_) co_return;
    gone_ = !more;
    if (gone_) throw Refused(left_early);
}

// A sender may pause but must reach the minimum rate on average; a body that is stored must be complete in time as
// well. Only time in which a caller waited for the body counts.
std::chrono::milliseconds RequestReader::patience() const
{
    using std::chrono::milliseconds;
    const auto waited = std::chrono::duration_cast<milliseconds>(waited_);
    const auto earned = milliseconds(received_ * 1000 / limits_.body_bytes_per_second);
    const milliseconds until_late = stored_ ? limits_.body - waited : limits_.body;
    return std::clamp(limits_.body_pause + earned - waited, milliseconds{0}, std::max(until_late, milliseconds{0}));
}

Task<std::string> RequestReader::whole(std::size_t limit)
{
    std::string text;
    if (complete_) co_return text;
    if (left_ > limit) throw Refused(long_body);
    stored_ = unfinished_ = true;
    for (bool more = true; more;) {
        const auto piece = co_await next();
        more = piece.has_value();
        if (!piece) break;
        if (text.size() + piece->size() > limit) throw Refused(long_body);
        text += *piece;
    }
    unfinished_ = false;
    co_return text;
}

std::optional<std::uint64_t> RequestReader::length() const
{
    return framing_.chunked ? std::nullopt : std::optional(framing_.length);
}

void RequestReader::give_up()
{
    given_up_ = !complete_;
    if (reads_body_) cancel();
}

void RequestReader::check(Deadline::Steady now)
{
    if (deadline_.is_over(now)) cancel();
}

void RequestReader::cancel()
{
    Code ignored; // the read ends either way
    socket_.cancel(ignored);
}

Task<bool> RequestReader::read_more(std::size_t most)
{
    Code code;
    const auto room = buffer_.prepare(most);
    const std::size_t count = co_await socket_.async_read_some(room, asio::redirect_error(asio::use_awaitable, code));
    buffer_.commit(count);
    co_return !code;
}

Task<> RequestReader::send_continue()
{
    Code ignored; // the read that follows fails where the peer has left
    const asio::const_buffer text(go_on.data(), go_on.size());
    co_await asio::async_write(socket_, text, asio::redirect_error(asio::use_awaitable, ignored));
}

Task<> RequestReader::discard(std::size_t most, std::chrono::milliseconds time)
{
    deadline_.allow(time);
    bool more = true;
    for (std::size_t read = 0; more && read < most; read += buffer_.view().size()) {
        buffer_.clear();
        more = co_await read_more(body_read);
    }
}

} // namespace alli::http
