// SPDX-License-Identifier: Apache-2.0
// The reading side of a connection: one request after the other, its header block at once, its body when it is asked
// for. Keeps pipelined bytes for the next request. Lives on one loop, whose tick calls check().
#pragma once

#include "http/chunks.hpp"
#include "http/deadline.hpp"
#include "http/framing.hpp"
#include "http/read_buffer.hpp"
#include "http/request_body.hpp"
#include "http/socket.hpp"

namespace alli::http {

class RequestReader final : public RequestBody {
  public:
    /// Both must outlive it.
    RequestReader(Socket& socket, const RequestLimits& limits) : socket_(socket), limits_(limits) {}

    /// Until the first byte of a request has arrived. False: the peer left, or was idle for longer than that.
    Task<bool> wait(std::chrono::milliseconds longest);
    /// The same for the wait under way, from now on.
    void wait_no_longer_than(std::chrono::milliseconds longest) { deadline_.allow(longest); }

    struct HeadResult {
        bool gone = false; // the peer left: there is nobody to answer
        std::optional<Refusal> refusal;
    };
    /// The header block of that request.
    Task<HeadResult> read_head();

    // The request whose header block was read; incomplete where it was refused.
    const RequestHead& head() const noexcept { return head_; }
    RequestHead& head() noexcept { return head_; }
    const RequestFraming& framing() const noexcept { return framing_; }
    /// Whether the peer left before the end of the request.
    bool is_gone() const noexcept { return gone_; }
    /// Whether a caller waits for the header block or for a body that is to be stored.
    bool is_unfinished() const noexcept { return unfinished_; }
    bool has_pipelined() const noexcept { return !buffer_.empty(); }
    /// The response is about to be written: "100 Continue" must not be sent any more.
    void answer_begins() noexcept { continue_ = false; }

    Task<std::optional<std::string_view>> next() override;
    Task<std::string> whole(std::size_t limit) override;
    std::optional<std::uint64_t> length() const override;
    void give_up() override;
    bool is_complete() const noexcept override { return complete_; }

    /// Reads and drops, so that the peer receives a response before the connection closes.
    Task<> discard(std::size_t most, std::chrono::milliseconds time);

    /// Cancels a read that is overdue.
    void check(Deadline::Steady now);

  private:
    void begin();
    std::optional<Refusal> accept_head(const RequestParser& parser);
    std::size_t find_data();
    Task<> read_body();
    Task<bool> read_more(std::size_t most);
    Task<> send_continue();
    std::chrono::milliseconds patience() const;
    void cancel();

    Socket& socket_;
    const RequestLimits& limits_;
    ReadBuffer buffer_;
    Deadline deadline_;

    RequestHead head_;
    RequestFraming framing_;
    ChunkReader chunks_;
    std::uint64_t left_ = 0;     // of a body of known length
    std::size_t handed_ = 0;     // bytes at the front of the buffer that the last next() returned
    std::uint64_t received_ = 0; // of the body
    std::chrono::steady_clock::duration waited_{};
    bool complete_ = true, gone_ = false, unfinished_ = false, stored_ = false, continue_ = false;
    bool given_up_ = false, reads_body_ = false;
};

} // namespace alli::http
