// SPDX-License-Identifier: Apache-2.0
// One relayed call that may change a conversation: what is said of it on the way out and back, told to those who have
// to know (runs.hpp) and to the engine. Never holds a byte up. Runs on a proxy loop.
#pragma once

#include "alli/source.hpp"
#include "proxy/context.hpp"
#include "proxy/keep.hpp"
#include "proxy/sniffer.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace alli::proxy {

/// Whether the call starts a run of an app: its answer has to be readable here.
bool runs_an_app(const Request& rq);

class StreamTap {
  public:
    StreamTap(const Context& cx, const Request& rq);
    /// A call that was cut short may go on upstream: it counts as running.
    ~StreamTap();
    StreamTap(const StreamTap&) = delete;
    StreamTap& operator=(const StreamTap&) = delete;

    void sent(std::string_view piece) { asked_.feed(piece); }
    /// It is out, as far as it will be: from now on something may happen in the conversation.
    void began();
    void received(std::string_view piece);
    /// Upstream answered so; `whole`: and that was all of it.
    void answered(int status, bool whole);

  private:
    void know(const std::optional<std::string>& id);
    void end(int status);
    void note_categories();

    const Backend backend_; // a copy: a stream may outlive the context of its loop
    Runs& running_;
    bool runs_, may_change_, categories_; // starts a run; is about conversations; about categories
    std::optional<ConversationId> id_;
    JsonSniffer asked_{std::size_t{1} << 20}, told_;
    bool streams_ = false; // a piece of its answer has come
    bool over_ = false, good_ = false, began_ = false, woke_ = false;
};

/// The answer as it comes, looked at.
class TappedStream final : public Source {
  public:
    TappedStream(std::unique_ptr<Source> body, std::shared_ptr<StreamTap> tap, int status, bool readable)
        : body_(std::move(body)), tap_(std::move(tap)), status_(status), readable_(readable)
    {}

    Task<std::optional<std::string>> next() override;
    bool ready() const override { return body_->ready(); }
    void wind_up() override { body_->wind_up(); }

  private:
    std::unique_ptr<Source> body_;
    std::shared_ptr<StreamTap> tap_;
    int status_;
    bool readable_;
};

// Of a call that is forwarded whole.
/// Upstream says whether an app works on an answer in it: {"isRunning": true}.
void note_running(const Context& cx, const ConversationId& id, const upstream::Reply& reply);
/// What is held ends with a chat that still grows.
void note_growing(const Context& cx, const ConversationId& id);
/// What upstream said of a conversation in which an app works: its run is over where that ends with the whole answer.
void note_answer(const Context& cx, const FillTarget& read, const upstream::Reply& reply);
/// A write or another call that may have changed it is over.
void note_end(const Context& cx, const ConversationId& id);

} // namespace alli::proxy
