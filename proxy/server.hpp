// SPDX-License-Identifier: Apache-2.0
// The API again, on loopback, from the mirror. Runs its own loops (one a core), each with read connections of its own.
// Knows neither the engine nor the settings: what it needs of them is in backend.hpp.
#pragma once

#include "proxy/access/options.hpp"
#include "proxy/request/backend.hpp"
#include "proxy/request/unsupported_parameters.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace alli::proxy {

/// Made, stopped and destroyed on one thread, none of its own.
class Server {
  public:
    /// Binds at once. Throws Error{busy} (port taken), Error{settings} (not loopback without allow_remote, and so on).
    Server(Options options, Backend backend);
    ~Server(); // as stop()

    /// The addresses it listens on, with the ports the system chose: "127.0.0.1:8787", "unix:/run/...".
    std::vector<std::string> addresses() const;

    /// Any thread: `alive` is called on a loop after a turn through each of them.
    void probe(std::function<void()> alive);

    /// Any thread: the parameters that often send reads upstream, for the mirror does not understand them.
    std::vector<UnsupportedParameters::Count> unsupported_parameters() const;

    /// Any thread: the engine has fetched it, as SyncControl::settle asked; `whole`: with all of its last message.
    void fetched(const ConversationId& id, std::uint64_t fence, bool whole);

    // Any thread: what another node of the cluster saw of a run. As SyncControl::settle asks the engine, where it runs.
    void run_elsewhere(const ConversationId& id);
    std::uint64_t end_elsewhere(const ConversationId& id);                               // a fence
    std::optional<bool> is_fetched(const ConversationId& id, std::uint64_t fence) const; // as Runs::is_fetched

    /// Any thread: for every request from now on. One under way may still see what was before.
    void adjust(const Adjustment& adjustment);
    /// Likewise the tokens alone. Sessions, event streams and waiting reads of those that are not among them end.
    void set_keys(const std::vector<Token>& tokens);

    void stop(); // no new connections; sessions end after their request under way, at the latest after 5 s

  private:
    struct Core;
    std::unique_ptr<Core> core_;
};

} // namespace alli::proxy
