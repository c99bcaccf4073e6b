// SPDX-License-Identifier: Apache-2.0
// The reading side of a connection: one request after the other, its header through the gate at once, its body when
// somebody asks for it. Keeps what was sent ahead for the next request. Lives on one loop.
#pragma once

#include "proxy/body.hpp"
#include "proxy/chunks.hpp"
#include "proxy/deadline.hpp"
#include "proxy/framing.hpp"
#include "proxy/outlet.hpp"
#include "proxy/server.hpp"

#include <boost/beast/core/flat_buffer.hpp>

namespace alli::proxy {

class Incoming final : public BodySource {
  public:
    /// Both must outlive it.
    Incoming(Socket& socket, const Limits& limits) : socket_(socket), limits_(limits) {}

    /// Until the first byte of a request is there. False: the peer left, or was idle for too long.
    Task<bool> wait();

    struct Heard {
        bool gone = false; // the peer left: nobody to answer
        std::optional<Refusal> refusal;
    };
    /// The header of that request.
    Task<Heard> read_head();

    // Of the request at hand, once its header was heard; what was refused there may be incomplete.
    const RequestHead& head() const noexcept { return head_; }
    RequestHead& head() noexcept { return head_; }
    const RequestFraming& framing() const noexcept { return framing_; }
    /// Whether the peer left before its end.
    bool is_gone() const noexcept { return gone_; }
    /// Whether somebody waits for something to be stored, or for the header itself.
    bool is_unfinished() const noexcept { return unfinished_; }
    bool has_sent_ahead() const noexcept { return buffer_.size() > 0; }
    /// From now on "100 Continue" would come too late.
    void answer_begins() noexcept { continue_ = false; }

    Task<std::optional<std::string_view>> next() override;
    Task<std::string> whole(std::size_t limit) override;
    std::optional<std::uint64_t> length() const override;
    void give_up() override;
    bool is_complete() const noexcept override { return complete_; }

    /// Reads and forgets, so that the peer gets to see an answer before the connection closes.
    Task<> discard(std::size_t most, std::chrono::milliseconds time);

    Deadline& deadline() noexcept { return deadline_; }

  private:
    void begin();
    std::optional<Refusal> understand(const HeadReader& reader);
    std::size_t find_data();
    Task<> read_body();
    Task<bool> read_more(std::size_t most);
    Task<> send_continue();
    std::chrono::milliseconds patience() const;
    std::string_view buffered() const noexcept;

    Socket& socket_;
    const Limits& limits_;
    boost::beast::flat_buffer buffer_;
    Deadline deadline_;

    RequestHead head_;
    RequestFraming framing_;
    ChunkReader chunks_;
    std::uint64_t left_ = 0;     // of a body of known length
    std::size_t handed_ = 0;     // bytes at the front of the buffer that next() gave away
    std::uint64_t received_ = 0; // of the body
    std::chrono::steady_clock::duration waited_{};
    bool complete_ = true, gone_ = false, unfinished_ = false, stored_ = false, continue_ = false;
    bool given_up_ = false, reads_body_ = false;
};

} // namespace alli::proxy
