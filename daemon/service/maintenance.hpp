// SPDX-License-Identifier: Apache-2.0
// The daemon's maintenance tasks: begun by POST /mirror/v1/maintenance (GET reports progress), one at a time, but for
// notes.
#pragma once

#include "alli/clock.hpp"
#include "daemon/service/maintenance_tasks.hpp"
#include "proxy/request/backend.hpp"

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <string>

namespace alli::daemon {

/// The daemon's tasks, which run on the engine's loop. start() and state() may be called on any thread.
class Maintenance final : public proxy::Maintenance {
  public:
    using Spawn = std::function<void(Task<>)>; // onto that loop

    Maintenance(MaintenanceTools tools, Spawn spawn) : tools_(std::move(tools)), spawn_(std::move(spawn)) {}

    /// Throws Error{usage}, or Error{busy} while another task runs, unless this one only takes a note. Returns its
    /// state.
    std::string start(const std::string& request) override;
    /// {"state": "idle", "running", "done" or "failed", "id", "task", "step", "done", "total", "result", "error"} of
    /// the task of that id, or of the last one. None: it is not among the last few of this process.
    std::optional<std::string> state(std::string_view id = "") const override;

  private:
    struct Idle { // from its end on; null: the task needs no turn
        explicit Idle(std::atomic<bool>* busy) : busy_(busy) {}
        Idle(const Idle&) = delete;
        Idle& operator=(const Idle&) = delete;
        ~Idle()
        {
            if (busy_) *busy_ = false;
        }
        std::atomic<bool>* busy_;
    };

    // "id" and "task" of a task: what every state of it begins with.
    Task<> run(Json request, Json name, bool alone);
    void note(std::string_view state, const Json& name, const Json& more);
    void note_failure(const Json& name, const std::exception_ptr& failure);

    MaintenanceTools tools_;
    Spawn spawn_;
    using States = std::deque<std::shared_ptr<const Json>>;                   // the last one of each task, newest first
    std::shared_ptr<const States> states_ = std::make_shared<const States>(); // swapped whole
    // Of the tasks; from the time on, so that those of an earlier process are not taken for this one's.
    std::atomic<std::int64_t> next_id_{SystemClock().now().time_since_epoch().count()};
    std::atomic<bool> busy_{false};
};

} // namespace alli::daemon
