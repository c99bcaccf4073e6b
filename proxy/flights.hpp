// SPDX-License-Identifier: Apache-2.0
// Requests upstream that several requests of ours wait for: the first one's is sent, the others share its answer. Lives
// on one proxy loop; may be asked from any of them, and answers there.
#pragma once

#include "alli/task.hpp"
#include "upstream/http.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace alli::proxy {

/// What came of a request, for all who waited.
struct Landing {
    std::shared_ptr<const upstream::Reply> reply;
    std::exception_ptr failure; // no reply then
    bool stored = false;        // something of it is in the mirror now
    bool collapsed = false;     // another request's: this one cost upstream nothing
};

class Flights {
  public:
    struct Outcome {
        upstream::Reply reply;
        bool stored = false;
    };
    using Work = std::function<Task<Outcome>()>;

    /// Before the first share().
    void live_on(asio::any_io_executor loop) { loop_ = std::move(loop); }

    /// Awaits `work`, run on the flights' loop, or the one under way for the same key. Never throws what it threw.
    Task<Landing> share(std::string key, Work work);

    /// Gives up what is under way. On the flights' loop.
    void abort();

  private:
    using Done = std::function<void(Landing)>;
    struct Flight {
        std::vector<Done> waiting; // the first one's is the request that is sent
        asio::cancellation_signal cancel;
    };

    void board(const std::string& key, Work work, Done done);
    void land(const std::string& key, const std::exception_ptr& failure, Outcome outcome);

    asio::any_io_executor loop_;
    std::unordered_map<std::string, std::unique_ptr<Flight>> flights_;
};

} // namespace alli::proxy
