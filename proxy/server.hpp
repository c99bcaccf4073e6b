// SPDX-License-Identifier: Apache-2.0
// The API again, on loopback, from the mirror. Runs its own loops (one a core), each with read connections of its own.
// Knows neither the engine nor the settings: what it needs from above is in Needs.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"
#include "alli/operation.hpp"
#include "alli/zone.hpp"
#include "cache/outbox.hpp"
#include "cache/store.hpp"
#include "cache/visibility.hpp"
#include "http/limits.hpp"
#include "proxy/passed_up.hpp"
#include "proxy/token.hpp"
#include "upstream/exchange.hpp"
#include "upstream/outcome.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace alli::proxy {

class MeterRack;

/// What upstream is like right now, as the engine knows it.
struct Upstream {
    std::string url;
    bool reachable = false;
    bool key_accepted = true;
    std::string error; // empty when the last pass went well
};

/// What one connection may take, and for how long.
struct Limits : http::RequestLimits {
    std::size_t body_bytes = 1024 * 1024;        // of one that is kept whole
    std::size_t answer_bytes = 32 * 1024 * 1024; // of answers kept whole, on all loops
    std::size_t connections = 1024;              // beyond it the one that waits longest for a request makes room
    std::size_t connections_a_user = 64;         // over Unix sockets; beyond it likewise, among that user's
    std::chrono::milliseconds write{30'000};     // without a byte taken by the peer
    std::chrono::milliseconds drain{5'000};      // what stop() leaves to the requests under way
    std::chrono::milliseconds heartbeat{15'000}; // of a stream of events that has none
    std::chrono::milliseconds tick{250};         // how often deadlines are looked at
};

struct Options {
    std::vector<std::string> listen{"127.0.0.1:8787"}; // "HOST:PORT", "[::1]:PORT", "unix:/path"; port 0: any free one
    std::vector<int> passed;                           // listening sockets to take over, in the place of `listen`
    bool require_key = true;                           // auth = "api-key"
    std::string api_key;                               // the upstream key, accepted from local apps
    std::vector<Token> tokens;                         // of local apps
    std::vector<std::string> allowed_hosts{"127.0.0.1", "localhost", "[::1]"};
    std::vector<std::string> ignored_parameters{"_"}; // of reads: they only break caches
    std::vector<std::string> allowed_origins;         // web apps that may call: "https://qa.example.com"
    bool allow_remote = false;
    bool refuse_when_key_rejected = false; // on_key_rejected = "refuse"
    Operations operations;                 // where upstream has what the contract only infers
    std::chrono::milliseconds max_age{60'000};
    std::chrono::milliseconds forward_timeout{10'000};
    int loops = 2;
    Zone zone = Zone::of_host(); // of days that are given without a time
    Limits limits;
    std::string version;
};

/// Of the options, what may change while it serves.
struct Adjustment {
    std::vector<Token> tokens;
    bool refuse_when_key_rejected = false;
    std::chrono::milliseconds max_age{60'000};
    std::chrono::milliseconds forward_timeout{10'000};
};

/// A write that is in the outbox.
struct Outgoing {
    cache::Acceptance accepted;
    std::optional<ConversationId> conversation; // none: a bulk update
};

struct Needs {
    cache::Store& store;
    Clock& clock;
    /// Sends a request upstream with the daemon's key. Called on a proxy loop; the implementation goes to the engine's
    /// loop.
    std::function<Task<upstream::Reply>(upstream::Request)> relay;
    /// What is passed on and back unread, with the daemon's key: one for each proxy loop, which alone uses it.
    std::function<std::unique_ptr<upstream::Exchanges>(asio::any_io_executor)> connect = {};
    std::function<Upstream()> upstream;  // any thread
    std::function<std::string()> status; // any thread: the JSON of GET /mirror/v1/status
    /// The same for who sees a part: its counts, and no id. Reads rows in view: on a thread for long reads.
    std::function<std::string(const cache::Visibility&)> status_in_view = {};
    std::function<std::string(const MeterRack&)> metrics = {}; // any thread: the text of GET /metrics
    std::function<void()> wake;                                // any thread: poll soon
    std::function<void()> probe = [] {};                       // any thread: a person asks to try upstream now
    std::function<void()> accept_deletions = [] {}; // any thread: a person's word that what is missing is gone
    std::function<void()> accept_key = [] {};       // any thread: likewise, that the key may open another project
    std::function<void(ConversationId)> wake_conversation; // any thread
    std::function<void()> refresh_categories = [] {};      // any thread: there may be others than are known
    /// Any thread: something in it has ended and somebody will read it: fetch it before all else, and say so by
    /// Server::fetched() with this fence. `chats_before`: those that were held, complete, before a run; none: no run
    /// was seen.
    std::function<void(ConversationId, std::uint64_t fence, std::optional<std::int64_t> chats_before)> settle = {};

    // Of writes; called on a proxy loop, done on the engine's.
    /// Sends it when nothing is before it, and gives upstream's answer when that comes in time; none: it waits, and
    /// reads show it.
    std::function<Task<std::optional<upstream::Reply>>(Outgoing, std::chrono::milliseconds)> deliver = {};
    std::function<Task<bool>(std::int64_t)> is_awaited = {}; // somebody still waits for its answer
    std::function<Task<cache::Retried>(std::int64_t)> retry_write = {};
    std::function<Task<cache::Steered>(std::int64_t)> discard_write = {};

    // Long work on the files, on any thread: begins what a JSON object asks for; how far it is, as one.
    std::function<void(const std::string&)> start_maintenance = {};
    std::function<std::string()> maintenance = {};

    // The tokens of local apps, on a thread for long work (docs/operations.md): each answers with JSON, and is in force
    // when it returns. `add_token` throws Error{busy} for a name that there is; `revoke_token`: false: there is none.
    std::function<std::string()> list_tokens = {};
    std::function<std::string(const std::string& request)> add_token = {};
    std::function<bool(const std::string& name)> revoke_token = {};

    /// How an exchange of `connect` ended, where that changes what is known of upstream. Any thread.
    std::function<void(const upstream::Outcome&)> heard = {};
};

/// Made, stopped and destroyed on one thread, none of its own.
class Server {
  public:
    /// Binds at once. Throws Error{busy} (port taken), Error{settings} (not loopback without allow_remote, and so on).
    Server(Options options, Needs needs);
    ~Server(); // as stop()

    /// The addresses it listens on, with the ports the system chose: "127.0.0.1:8787", "unix:/run/...".
    std::vector<std::string> addresses() const;

    /// Any thread: `alive` is called on a loop after a turn through each of them.
    void probe(std::function<void()> alive);

    /// Any thread: the parameters that often send reads upstream, for the mirror does not understand them.
    std::vector<PassedUp::Count> passed_up() const;

    /// Any thread: the engine has fetched it, as Needs::settle asked; `whole`: with all of its last message.
    void fetched(const ConversationId& id, std::uint64_t fence, bool whole);

    /// Any thread: for every request from now on. One under way may still see what was before.
    void adjust(const Adjustment& adjustment);
    /// Likewise the tokens alone. Sessions, event streams and waiting reads of those that are not among them end.
    void let_in(const std::vector<Token>& tokens);

    void stop(); // no new connections; sessions end after their request under way, at the latest after 5 s

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

} // namespace alli::proxy
