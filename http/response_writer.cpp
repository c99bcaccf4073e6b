// SPDX-License-Identifier: Apache-2.0
#include "http/response_writer.hpp"

#include "alli/error.hpp"
#include "alli/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace alli::http {
namespace {

using Code = boost::system::error_code;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

asio::const_buffer buffer(std::string_view text) noexcept
{
    return {text.data(), text.size()};
}

void consume(ResponseWriter::Parts& parts, std::size_t count)
{
    for (asio::const_buffer& part : parts) {
        const std::size_t written = std::min(count, part.size());
        part += written;
        count -= written;
    }
}

} // namespace

// Frames the pieces of one body: the header block before the first, then chunks, or exactly the announced length.
class ResponseWriter::BodyFramer {
  public:
    BodyFramer(Source& source, Framing framing, std::uint64_t length, std::string head)
        : source_(source), framing_(framing), left_(length), lead_(std::move(head))
    {}

    /// Whether the header block has to be sent before the first piece is there.
    bool is_head_due() const { return !lead_.empty() && !source_.ready(); }
    std::string take_head() { return std::exchange(lead_, {}); }

    /// Waits for the next piece; false: there are no more.
    Task<bool> advance()
    {
        std::optional<std::string> next = co_await source_.next();
        piece_ = next ? std::move(*next) : std::string();
        if (next)
            count();
        else if (framing_ == Framing::length && left_ > 0)
            throw Error(Fault::bad_reply, "", "it ended {} bytes before the length it had announced", left_);
        co_return next.has_value();
    }

    /// Valid until the next advance(). An empty piece is not sent: an empty chunk ends the body.
    Parts parts()
    {
        const bool chunk = framing_ == Framing::chunked && !piece_.empty();
        if (chunk) fmt::format_to(std::back_inserter(lead_), "{:x}\r\n", piece_.size());
        sent_lead_ = std::exchange(lead_, {});
        return {buffer(sent_lead_), buffer(piece_), buffer(chunk ? line_end : std::string_view{})};
    }
    Parts last_parts()
    {
        sent_lead_ = std::exchange(lead_, {});
        return {buffer(sent_lead_), buffer(framing_ == Framing::chunked ? last_chunk : std::string_view{}), {}};
    }

  private:
    void count()
    {
        if (framing_ != Framing::length) return;
        if (piece_.size() > left_) throw Error(Fault::bad_reply, "", "it went on beyond the length it had announced");
        left_ -= piece_.size();
    }

    Source& source_;
    Framing framing_;
    std::uint64_t left_;
    std::string lead_, sent_lead_, piece_;
};

struct ResponseWriter::Streaming {
    Streaming(ResponseWriter& owner, Source& source) : writer(owner) { writer.source_ = &source; }
    ~Streaming() { writer.source_ = nullptr; }

    ResponseWriter& writer;
};

Task<bool> ResponseWriter::send(Response response, WriteOptions options)
{
    const Framing framing = framing_of(response, options);
    options.close = options.close || framing == Framing::until_close;
    std::string head = render_head(response, options);
    bool written = false;
    if (response.stream && has_body(response, options)) {
        written = co_await stream(std::move(response), framing, std::move(head));
    } else {
        const MemoryFile::Extent* extent = has_body(response, options) ? response.body.extent() : nullptr;
        const Parts parts{buffer(head), buffer(body_of(response, options)), {}};
        written = co_await write_whole(parts, extent != nullptr);
        if (written && extent) written = co_await write_extent(*extent);
    }
    co_return written && !options.close;
}

Task<bool> ResponseWriter::stream(Response response, Framing framing, std::string head)
{
    const Streaming now(*this, *response.stream);
    const std::string request_id(response.headers.first("X-Request-Id"));
    BodyFramer framer(*response.stream, framing, response.length.value_or(0), std::move(head));
    bool whole = false;
    try {
        whole = co_await write_pieces(framer);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw; // the session itself is being cancelled
        log_event<Event::answer_broken>(error.code().message(), request_id);
    } catch (const std::exception&) {
        log_event<Event::answer_broken>(reason_of(std::current_exception()), request_id);
    }
    if (!whole) break_off(framing);
    co_return whole;
}

Task<bool> ResponseWriter::write_pieces(BodyFramer& framer)
{
    if (framer.is_head_due()) {
        const std::string head = framer.take_head();
        const Parts parts{buffer(head), {}, {}};
        if (!co_await write(parts)) co_return false;
    }
    for (;;) {
        if (!co_await framer.advance()) break;
        const Parts parts = framer.parts();
        if (!co_await write(parts)) co_return false;
    }
    const Parts parts = framer.last_parts();
    co_return co_await write(parts);
}

// A body that ends with its connection must not end with an orderly close.
void ResponseWriter::break_off(Framing framing)
{
    if (framing != Framing::until_close) return;
    Code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

// Nearly always the socket takes all of it at once, which spares a turn of the loop. Not for streams: a source that is
// always ready and a peer that is always faster would keep the loop to themselves.
Task<bool> ResponseWriter::write_whole(Parts parts, bool more_follows)
{
    Code code;
    if (!socket_.non_blocking()) socket_.non_blocking(true, code);
    const std::size_t count = code ? 0 : socket_.send(parts, more_follows ? MSG_MORE : 0, code);
    if (code && code != asio::error::would_block) co_return false;
    if (count == asio::buffer_size(parts)) co_return true;
    consume(parts, count);
    co_return co_await write(parts);
}

Task<bool> ResponseWriter::write_extent(const MemoryFile::Extent& extent)
{
    auto at = static_cast<off_t>(extent.offset());
    const off_t end = at + static_cast<off_t>(extent.size());
    while (at < end) {
        const auto left = static_cast<std::size_t>(end - at);
        const auto count = ::sendfile(socket_.native_handle(), extent.descriptor(), &at, left);
        if (count > 0 || (count < 0 && errno == EINTR)) continue;
        if (count == 0 || errno != EAGAIN) co_return false;
        if (!co_await wait_until_writable()) co_return false;
    }
    co_return true;
}

Task<bool> ResponseWriter::wait_until_writable()
{
    deadline_.allow(stall_);
    Code code;
    co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, code));
    deadline_.lift();
    co_return !code;
}

// One scatter write after the other while the peer takes bytes; the deadline moves with every write.
Task<bool> ResponseWriter::write(Parts parts)
{
    for (std::size_t left = asio::buffer_size(parts); left > 0;) {
        deadline_.allow(stall_);
        Code code;
        const auto count = co_await socket_.async_write_some(parts, asio::redirect_error(asio::use_awaitable, code));
        deadline_.lift();
        if (code) co_return false;
        left -= count;
        consume(parts, count);
    }
    co_return true;
}

void ResponseWriter::wind_up()
{
    if (source_) source_->wind_up();
}

void ResponseWriter::check(Deadline::Steady now)
{
    if (!deadline_.is_over(now)) return;
    Code ignored; // the write ends either way
    socket_.cancel(ignored);
}

} // namespace alli::http
