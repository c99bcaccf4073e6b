// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/curl_exchange.hpp"

#include "upstream/curl/curl_set.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstring>

namespace alli::upstream {

static constexpr long read_at_once = 128 << 10;

CurlExchange::CurlExchange(std::shared_ptr<CurlMulti> multi, StreamRequest opening)
    : Transfer(multi->loop(), std::move(opening.head), multi->options(), multi->site()), multi_(std::move(multi)),
      has_body_(opening.has_body), length_(opening.length)
{
    never_decode();
    multi_->add(*this);
}

CurlExchange::~CurlExchange()
{
    multi_->remove(*this);
}

void CurlExchange::set_version()
{
    curl::set(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl::set(easy(), CURLOPT_BUFFERSIZE, read_at_once);
}

void CurlExchange::set_body()
{
    if (!has_body_) return Transfer::set_body();
    curl::set(easy(), CURLOPT_UPLOAD, 1L);
    curl::set(easy(), CURLOPT_UPLOAD_BUFFERSIZE, read_at_once);
    curl::set(easy(), CURLOPT_INFILESIZE_LARGE, length_ ? static_cast<curl_off_t>(*length_) : curl_off_t{-1});
    curl::set(easy(), CURLOPT_READFUNCTION, &CurlExchange::on_read);
    curl::set(easy(), CURLOPT_READDATA, this);
    curl::set(easy(), CURLOPT_CUSTOMREQUEST, method().c_str());
}

std::size_t CurlExchange::on_read(char* room, std::size_t size, std::size_t count, void* self) noexcept
{
    return static_cast<CurlExchange*>(self)->give(room, size * count);
}

std::size_t CurlExchange::give(char* room, std::size_t size)
{
    if (gone_ == going_.size()) {
        going_.swap(next_);
        next_.clear();
        gone_ = 0;
    }
    const std::size_t count = std::min(size, going_.size() - gone_);
    if (count == 0) {
        if (all_given_) return 0;
        holds_request_ = true;
        return CURL_READFUNC_PAUSE;
    }
    std::memcpy(room, going_.data() + gone_, count);
    gone_ += count;
    wake();
    return count;
}

std::size_t CurlExchange::take_body(std::string_view piece)
{
    if (came_.size() + piece.size() > most) {
        holds_answer_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    came_.append(piece);
    wake();
    return piece.size();
}

void CurlExchange::head_came()
{
    has_head_ = true;
    wake();
    if (wants_no_more()) say_unwanted();
}

void CurlExchange::say_unwanted()
{
    if (const auto tell = std::exchange(tell_, {})) tell();
}

// Goes on in both directions but where there still is nothing to do.
void CurlExchange::resume()
{
    progressed(); // the wait was ours, not upstream's
    if (ended() || !easy()) return;
    if (came_.size() < most) holds_answer_ = false;
    if (waiting() > 0 || all_given_ || wants_no_more()) holds_request_ = false;
    curl_easy_pause(easy(), (holds_answer_ ? CURLPAUSE_RECV : 0) | (holds_request_ ? CURLPAUSE_SEND : 0));
}

Task<> CurlExchange::wait_until(Reached reached)
{
    while (!ended() && !(this->*reached)()) co_await wait_some();
}

Task<bool> CurlExchange::put(std::string_view piece)
{
    co_await wait_until(&CurlExchange::has_room);
    if (ended() || wants_no_more()) co_return false;
    next_.append(piece);
    if (holds_request_) resume();
    co_return true;
}

void CurlExchange::end_body()
{
    all_given_ = true;
    if (holds_request_) resume();
}

Task<Reply> CurlExchange::head()
{
    co_await wait_until(&CurlExchange::has_head);
    if (!has_head_) require_end();
    if (holds_request_ && wants_no_more()) resume(); // or libcurl would wait for the rest of the body for ever
    co_return take_head();
}

Task<std::optional<std::string>> CurlExchange::next()
{
    co_await wait_until(&CurlExchange::has_piece);
    if (came_.empty()) {
        require_end();
        co_return std::nullopt;
    }
    std::string piece = std::exchange(came_, {});
    if (holds_answer_) resume();
    co_return piece;
}

} // namespace alli::upstream
