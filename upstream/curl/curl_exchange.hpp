// SPDX-License-Identifier: Apache-2.0
// An exchange over libcurl, which pauses where nobody takes what came or gives what is to go: HTTP/1.1, because a
// paused HTTP/2 stream would hold a window of 32 MiB. At most `most` bytes wait each way. Lives on the loop of its
// multi.
#pragma once

#include "upstream/curl/curl_multi.hpp"
#include "upstream/exchange.hpp"

namespace alli::upstream {

class CurlExchange final : public Exchange, private Transfer {
  public:
    static constexpr std::size_t most = std::size_t{256} << 10;

    CurlExchange(std::shared_ptr<CurlMulti> multi, StreamRequest opening);
    ~CurlExchange() override;

    Task<bool> put(std::string_view piece) override;
    void when_unwanted(std::function<void()> tell) override { tell_ = std::move(tell); }
    void end_body() override;
    Task<Reply> head() override;
    Task<std::optional<std::string>> next() override;
    bool ready() const override { return !came_.empty() || ended(); }

  private:
    using Reached = bool (CurlExchange::*)() const;
    static std::size_t on_read(char* room, std::size_t size, std::size_t count, void* self) noexcept;

    void set_body() override;
    void set_version() override;
    std::size_t take_body(std::string_view piece) override;
    void head_came() override;
    void has_ended() override { say_unwanted(); }

    Task<> wait_until(Reached reached);
    bool has_head() const { return has_head_; }
    bool has_piece() const { return !came_.empty(); }
    std::size_t waiting() const { return going_.size() - gone_ + next_.size(); }
    bool has_room() const { return waiting() < most || wants_no_more(); }
    bool wants_no_more() const { return has_head_ && status() >= 300; } // libcurl sends no more then
    void say_unwanted();
    std::size_t give(char* room, std::size_t size);
    void resume();

    std::shared_ptr<CurlMulti> multi_;
    bool has_body_;
    std::optional<std::uint64_t> length_;
    std::string came_;  // of the answer, not taken yet
    std::string going_; // of the request; the first `gone_` bytes are sent
    std::string next_;  // what goes once all of that is
    std::size_t gone_ = 0;
    std::function<void()> tell_;
    bool all_given_ = false, has_head_ = false;
    bool holds_answer_ = false, holds_request_ = false; // libcurl is paused there
};

} // namespace alli::upstream
