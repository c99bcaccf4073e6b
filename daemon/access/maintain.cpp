// SPDX-License-Identifier: Apache-2.0
#include "daemon/access/maintain.hpp"

#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/replica/notes.hpp"
#include "daemon/access/acting_owner.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "daemon/service/status.hpp"
#include "upstream/curl/origin.hpp"

#include <csignal>
#include <filesystem>
#include <thread>
#include <unistd.h>

namespace alli::daemon {
namespace {

const std::string target = "/mirror/v1/maintenance";
constexpr std::chrono::milliseconds look_again{100}, next_turn{500};
constexpr std::chrono::minutes patience{15}; // a check of a large mirror takes minutes

volatile std::sig_atomic_t stop_asked = 0;

/// "index ... 120 of 4000" on a terminal.
class TaskProgress {
  public:
    void show(std::string_view step, std::int64_t done, std::int64_t total)
    {
        if (!shown_) return;
        const std::string count = total > 0 ? fmt::format(" {} of {}", done, total) : "";
        fmt::print(stderr, "\r{}{}\x1b[K", step, count);
        std::fflush(stderr);
        drawn_ = true;
    }
    ~TaskProgress()
    {
        if (drawn_) fmt::print(stderr, "\r\x1b[K");
    }

  private:
    bool shown_ = takes_escapes(STDERR_FILENO), drawn_ = false;
};

Json run_here(const Settings& settings, const MirrorLocation& place, const Json& request)
{
    cache::StoreOptions options;
    options.mirror_path = place.mirror_path;
    options.url = place.sandbox ? "sandbox:" : upstream::read_origin(settings.config.upstream_url).base;
    options.threads = false;
    if (settings.config.cluster.enabled() && !place.sandbox) options.on_open = &cache::begin_notes;
    const ActingOwner owner(place.mirror_path);
    cache::Store store(options);
    const auto note = [](int) { stop_asked = 1; };
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);

    TaskProgress progress;
    MaintenanceTools tools{store, {}, true};
    tools.hooks.report = [&](std::string_view step, std::int64_t done, std::int64_t total) {
        progress.show(step, done, total);
    };
    tools.hooks.stopping = [] { return stop_asked != 0; };
    return sync_wait(run_task(std::move(tools), request));
}

Json read_answer(const DaemonAnswer& answer)
{
    Json json = Json::parse(answer.body, nullptr, false);
    if (answer.status >= 300) throw refused_by_daemon(answer);
    if (!json.is_object()) throw Error(Fault::io, "see its log", "the daemon's answer cannot be read");
    return json;
}

Json run_in_daemon(const Context& context, const Json& request)
{
    // By its id: another command may begin a task of its own between the end of this one and the next look.
    const std::string query = "?id=" + start_task(context, request).value("id", "");
    TaskProgress progress;
    for (;;) {
        const Json now = read_answer(call_daemon(context, {"GET", target + query, ""}));
        const std::string state = now.value("state", "");
        if (state == "done") return now.value("result", Json::object());
        if (state == "failed") throw Error(Fault::io, now.value("hint", ""), "{}", now.value("error", ""));
        if (state != "running") throw Error(Fault::io, "see its log", "the daemon was restarted meanwhile");
        progress.show(now.value("step", ""), now.value("done", 0), now.value("total", 0));
        std::this_thread::sleep_for(look_again);
    }
}

} // namespace

void require_mirror(const MirrorLocation& place)
{
    if (find_owner(place.mirror_path)) return; // where its directory is hidden too
    std::error_code hidden;
    const bool found = std::filesystem::exists(place.mirror_path, hidden);
    if (hidden == std::errc::permission_denied)
        throw Error(Fault::io, "start the service, or run it as root", "{} is another user's, and no daemon runs",
                    place.mirror_path);
    if (!found)
        throw Error(Fault::io, "start `alli-mirror serve` or run `alli-mirror sync` first",
                    "there is no mirror at {} yet", place.mirror_path);
}

Json start_task(const Context& context, const Json& request)
{
    const auto until = std::chrono::steady_clock::now() + patience;
    for (bool said = false;;) {
        const DaemonAnswer answer = call_daemon(context, {"POST", target, dump(request)});
        if (answer.status != 409 || std::chrono::steady_clock::now() >= until) return read_answer(answer);
        if (!std::exchange(said, true))
            fmt::print(stderr, "another task is under way: waiting for its end, {} minutes at most\n",
                       patience.count());
        std::this_thread::sleep_for(next_turn);
    }
}

Json maintain(const Context& context, const MirrorLocation& place, const Json& request)
{
    if (find_owner(place.mirror_path)) return run_in_daemon(remembering(context), request);
    return run_here(context.settings(), place, request);
}

} // namespace alli::daemon
