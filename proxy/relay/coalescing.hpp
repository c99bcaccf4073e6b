// SPDX-License-Identifier: Apache-2.0
// Request coalescing (single flight): of requests for the same at a time the first is sent upstream, the others share
// its reply. Lives on one proxy loop; may be called on any of them, and resumes the caller there.
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

/// What came of a call, for all who waited.
struct SharedReply {
    std::shared_ptr<const upstream::Reply> reply;
    std::exception_ptr failure; // no reply then
    bool stored = false;        // part of it is in the mirror now
    bool collapsed = false;     // to another request: this one cost upstream nothing
};

class Coalescer {
  public:
    struct Outcome {
        upstream::Reply reply;
        bool stored = false;
    };
    using Work = std::function<Task<Outcome>()>;

    /// Before the first share().
    void set_executor(asio::any_io_executor loop) { loop_ = std::move(loop); }

    /// Runs `work` on the coalescer's loop, or waits for the call under way for the same key. Never throws what that
    /// threw.
    Task<SharedReply> share(std::string key, Work work);

    /// Cancels what is under way. On the coalescer's loop.
    void abort();

  private:
    using Done = std::function<void(SharedReply)>;
    struct Call {
        std::vector<Done> waiting; // the first is the one whose work runs
        asio::cancellation_signal cancel;
    };

    void join(const std::string& key, Work work, Done done);
    void finish(const std::string& key, const std::exception_ptr& failure, Outcome outcome);

    asio::any_io_executor loop_;
    std::unordered_map<std::string, std::unique_ptr<Call>> pending_;
};

} // namespace alli::proxy
