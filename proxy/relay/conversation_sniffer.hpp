// SPDX-License-Identifier: Apache-2.0
// Observes relayed calls that may change a conversation: a tap on the streams of request and reply finds out which one,
// and tells runs.hpp and the engine; in a cluster the other nodes too, and then the end of a reply alone waits for
// that. Runs on a proxy loop.
#pragma once

#include "alli/source.hpp"
#include "proxy/relay/cache_fill.hpp"
#include "proxy/relay/json_sniffer.hpp"
#include "proxy/request/context.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace alli::proxy {

/// True if the call starts a run of an app: its reply must come uncompressed.
bool runs_an_app(const Request& rq);

class StreamTap {
  public:
    StreamTap(const Context& cx, const Request& rq);
    /// A call that was cut short may continue upstream: it counts as running.
    ~StreamTap();
    StreamTap(const StreamTap&) = delete;
    StreamTap& operator=(const StreamTap&) = delete;

    void sent(std::string_view piece) { asked_.feed(piece); }
    /// The request is out, as far as it will be: from now on the conversation may change.
    void began();
    void received(std::string_view piece);
    /// Upstream replied with this status; `whole`: and its body is complete.
    void answered(int status, bool whole);
    /// Until the other nodes can hear of it.
    Task<> told() const;

  private:
    void know(const std::optional<std::string>& id);
    void end(int status);
    void note_categories();

    void tell(bool ended, std::uint64_t fence);
    void run();
    void end_each(const ConversationId& id, bool brings_news);

    const Backend backend_; // a copy: a stream may outlive the context of its loop
    Runs& running_;
    bool runs_, may_change_, categories_; // starts a run; is about conversations; about categories
    std::optional<ConversationId> id_;
    JsonSniffer asked_{std::size_t{1} << 20}, told_;
    bool streams_ = false; // a piece of its answer has come
    bool over_ = false, good_ = false, began_ = false, woke_ = false;
    std::optional<std::uint64_t> note_; // for the other nodes, the last
};

struct TappedReply {
    int status = 0;
    bool readable = false;
    std::optional<std::uint64_t> length; // none: its end says where it ends
};

/// The reply's body, with the tap on it.
class TappedStream final : public Source {
  public:
    TappedStream(std::unique_ptr<Source> body, std::shared_ptr<StreamTap> tap, TappedReply reply)
        : body_(std::move(body)), tap_(std::move(tap)), reply_(reply)
    {}

    Task<std::optional<std::string>> next() override;
    bool ready() const override { return body_->ready(); }
    void wind_up() override { body_->wind_up(); }

  private:
    std::unique_ptr<Source> body_;
    std::shared_ptr<StreamTap> tap_;
    TappedReply reply_;
    std::uint64_t received_ = 0;
};

// Of a call that is not streamed:
/// Upstream says whether a run is under way: {"isRunning": true}. Returns what wait_until_told() takes.
std::optional<std::uint64_t> note_running(const Context& cx, const ConversationId& id, const upstream::Reply& reply);
/// The mirror's copy ends with a chat that still grows.
void note_growing(const Context& cx, const ConversationId& id);
/// A read of a conversation with a run: the run is over if the reply ends with the app's complete answer.
void note_answer(const Context& cx, const FillTarget& read, const upstream::Reply& reply);
/// A write or another call that may have changed the conversation is over.
void note_end(const Context& cx, const ConversationId& id);

// What another node of the cluster saw:
void note_run_elsewhere(const Backend& backend, Runs& runs, const ConversationId& id);
/// Returns the fence that settles it.
std::uint64_t note_end_elsewhere(const Backend& backend, Runs& runs, const ConversationId& id);

} // namespace alli::proxy
