// SPDX-License-Identifier: Apache-2.0
#include "proxy/outlet.hpp"

#include "alli/log.hpp"
#include "upstream/header.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_suffix.hpp>

namespace alli::proxy {
namespace {

using Code = boost::system::error_code;

constexpr std::string_view line_end = "\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

asio::const_buffer buffer(std::string_view text) noexcept
{
    return {text.data(), text.size()};
}

} // namespace

// Turns the pieces of one answer into what goes out: the head before the first, chunks or so many bytes as were
// promised.
class Outlet::Pieces {
  public:
    Pieces(Source& source, Framing framing, std::uint64_t length, std::string head)
        : source_(source), framing_(framing), left_(length), lead_(std::move(head))
    {}

    /// Whether the head has to go out before a piece is there.
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

    /// Valid until the next advance(). Nothing for an empty piece: as a chunk it would be the last.
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

struct Outlet::Streaming {
    Streaming(Outlet& owner, Source& source) : outlet(owner) { outlet.source_ = &source; }
    ~Streaming() { outlet.source_ = nullptr; }

    Outlet& outlet;
};

Task<bool> Outlet::send(Response response, Manner manner)
{
    const Framing framing = framing_of(response, manner);
    manner.close = manner.close || framing == Framing::until_close;
    std::string head = render_head(response, manner);
    bool written = false;
    if (response.stream && has_body(response, manner)) {
        written = co_await stream(std::move(response), framing, std::move(head));
    } else {
        const Parts parts{buffer(head), buffer(body_of(response, manner)), {}};
        written = co_await write(parts);
    }
    co_return written && !manner.close;
}

Task<bool> Outlet::stream(Response response, Framing framing, std::string head)
{
    const Streaming now(*this, *response.stream);
    const std::string request_id(upstream::value_of(response.headers, "X-Request-Id"));
    Pieces pieces(*response.stream, framing, response.length.value_or(0), std::move(head));
    bool whole = false;
    try {
        whole = co_await write_pieces(pieces);
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) throw; // the session itself was told to end
        log_event<Event::answer_broken>(error.code().message(), request_id);
    } catch (const std::exception&) {
        log_event<Event::answer_broken>(reason_of(std::current_exception()), request_id);
    }
    if (!whole) break_off(framing);
    co_return whole;
}

Task<bool> Outlet::write_pieces(Pieces& pieces)
{
    if (pieces.is_head_due()) {
        const std::string head = pieces.take_head();
        const Parts parts{buffer(head), {}, {}};
        if (!co_await write(parts)) co_return false;
    }
    for (;;) {
        if (!co_await pieces.advance()) break;
        const Parts parts = pieces.parts();
        if (!co_await write(parts)) co_return false;
    }
    const Parts parts = pieces.last_parts();
    co_return co_await write(parts);
}

// What ends by the connection's end alone must not end in good order.
void Outlet::break_off(Framing framing)
{
    if (framing != Framing::until_close) return;
    Code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
}

// One scatter write after the other for as long as the peer takes them; the deadline moves with every byte taken.
Task<bool> Outlet::write(Parts parts)
{
    boost::beast::buffers_suffix<Parts> rest(parts);
    for (std::size_t left = asio::buffer_size(parts); left > 0;) {
        deadline_ = std::chrono::steady_clock::now() + stall_;
        Code code;
        const auto count = co_await socket_.async_write_some(rest, asio::redirect_error(asio::use_awaitable, code));
        deadline_.reset();
        if (code) co_return false;
        rest.consume(count);
        left -= count;
    }
    co_return true;
}

void Outlet::wind_up()
{
    if (source_) source_->wind_up();
}

void Outlet::check(Steady now)
{
    if (!deadline_ || now < *deadline_) return;
    deadline_.reset();
    Code ignored; // the wait ends either way
    socket_.cancel(ignored);
}

} // namespace alli::proxy
