// SPDX-License-Identifier: Apache-2.0
// What the proxy needs of the rest of the program, an interface for each part of it; daemon/service/proxy_backend.cpp
// implements them over the engine. All may be called on any thread, unless one says otherwise.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/visibility.hpp"
#include "cache/store.hpp"
#include "upstream/exchange.hpp"
#include "upstream/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace alli::proxy {

class RequestMetrics;

/// Upstream right now, as the engine knows it.
struct UpstreamState {
    std::string url;
    bool reachable = false;
    bool key_accepted = true;
    std::string error; // empty if the last pass succeeded
};

class UpstreamAccess {
  public:
    virtual ~UpstreamAccess() = default;
    /// Sends a request with the daemon's key, within its budget of requests. Called on a proxy loop, done on the
    /// engine's. Throws Error{unreachable} and what the client throws.
    virtual Task<upstream::Reply> send(upstream::Request request) = 0;
    /// Connections outside that budget, for what is streamed with the daemon's key: one set for each proxy loop, which
    /// alone uses it.
    virtual std::unique_ptr<upstream::Exchanges> connect(asio::any_io_executor loop) = 0;
    virtual UpstreamState state() const = 0;
    /// An exchange of connect() ended so, and that changes what is known of upstream.
    virtual void report(const upstream::Outcome& outcome) = 0;
};

class SyncControl {
  public:
    virtual ~SyncControl() = default;
    virtual void poll_soon() = 0;
    virtual void try_upstream_now() = 0; // a person asks, whatever the breaker says
    virtual void accept_deletions() = 0; // a person confirms that what upstream lacks is deleted
    virtual void accept_key() = 0;       // a person confirms that the key may open another project
    virtual void refresh(ConversationId id) = 0;
    virtual void refresh_categories() = 0; // there may be categories that the mirror does not know
    /// A run or a change in this conversation has ended, and it will be read: fetch it before all else, then call
    /// Server::fetched() with this fence. `chats_before`: complete chats held before the run; none: no run was seen.
    virtual void settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before) = 0;
};

/// The outbox's way upstream. Called on a proxy loop, done on the engine's.
class Delivery {
  public:
    virtual ~Delivery() = default;
    /// Sends a write that was just committed, if no other has to go first, and returns upstream's reply if that comes
    /// within `patience`. None: the write waits in the outbox, and reads show it.
    virtual Task<std::optional<upstream::Reply>> deliver(cache::AcceptedWrite write,
                                                         std::chrono::milliseconds patience) = 0;
    /// True while another request waits for the reply to this entry.
    virtual Task<bool> is_awaited(std::int64_t id) = 0;
    virtual Task<cache::RetryResult> retry(std::int64_t id) = 0;
    virtual Task<cache::OperatorResult> discard(std::int64_t id) = 0;
};

/// Long tasks on the files, one at a time. Both take or return a JSON object.
class Maintenance {
  public:
    virtual ~Maintenance() = default;
    virtual std::string start(const std::string& request) = 0; // its state; throws Error{busy} while another runs
    /// Of the task of that id; empty: of the last one. None: not known, or forgotten.
    virtual std::optional<std::string> state(std::string_view id) const = 0;
};

/// The tokens of local apps (docs/operations.md). Called on a thread for long work; a change is in force, and on disk,
/// when the call returns. The strings are JSON.
class TokenAdmin {
  public:
    virtual ~TokenAdmin() = default;
    virtual std::string list() const = 0;
    virtual std::string add(const std::string& request) const = 0; // throws Error{busy} for a name that is taken
    virtual bool revoke(const std::string& name) const = 0;        // false: there is none
};

class Reports {
  public:
    virtual ~Reports() = default;
    virtual std::string status() = 0; // the JSON of GET /mirror/v1/status
    /// The same for a principal that sees a part: its counts, and no id. Called on a thread for long reads.
    virtual std::string status_in_view(const cache::Visibility& visible) = 0;
    virtual std::string
    metrics(const RequestMetrics& requests) = 0; // the text of GET /metrics; on a thread for long reads
};

/// This node of a cluster, as it knows itself now.
struct NodeState {
    bool leads = false, hears = false; // what the cluster's database says
    bool shares_writes = false;        // any node accepts them; else the leader alone, into an outbox of its own
    std::int64_t position = 0;         // what it serves is at least as young as this number
    std::optional<Instant> now = {};   // by the shared database's clock, and never earlier than before; none: not known
};

/// What became of a request that wants its write to be accepted by what the nodes share.
struct SharedAcceptance {
    cache::Acceptance::Kind kind = cache::Acceptance::Kind::fresh;
    cache::Entry entry; // as it is now; of a repeated request the first one's
};

/// Where several machines share a mirror. One that leads delivers writes; a node that follows keeps nothing of its own.
class ClusterNode {
  public:
    virtual ~ClusterNode() = default;
    /// Returns when the write is safe, and shows here; asks again until that is known, for as long as `patience`. Then
    /// throws Error{unreachable}: it may have been accepted, or Error{unavailable}: nothing was kept. Called on a proxy
    /// loop, done on the engine's.
    virtual Task<SharedAcceptance> accept(cache::NewEntry entry, std::chrono::milliseconds patience) = 0;
    virtual NodeState state() const = 0;
    virtual std::string leader() const = 0; // its name; empty: none leads, or it is not known
    virtual bool step_down() = 0;           // false: it does not lead
    /// Tells the other nodes of a run that is under way in the conversation; or that it, or another call that may have
    /// changed something, has ended: `fence` is of Runs. Returns what find_told() takes.
    virtual std::uint64_t note_run(const ConversationId& id, bool ended, std::uint64_t fence) = 0;
    /// A position that has this note; none: it is on its way. 0: one that has all that this node told, and the writes
    /// that it accepted.
    virtual std::optional<std::int64_t> find_told(std::uint64_t note) const = 0;
    /// Of a node that follows: an app was given this, and it is not kept here: the leader is to fetch it. `*`: a list.
    virtual void ask_refresh(std::string conversation) = 0;
};

struct Backend {
    cache::Store& store;
    Clock& clock;
    UpstreamAccess& upstream;
    SyncControl& sync;
    Delivery& delivery;
    Maintenance& maintenance;
    TokenAdmin& tokens;
    Reports& reports;
    ClusterNode* cluster = nullptr; // none: this machine alone
};

} // namespace alli::proxy
