// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/daemon_sync.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "daemon/commands/sync_progress.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/status.hpp"

#include <thread>

namespace alli::daemon {
namespace {

constexpr std::chrono::milliseconds look_again{200};
constexpr std::chrono::seconds grace{5};     // for what the daemon knew before it was asked
constexpr std::chrono::seconds ask_again{2}; // a daemon that had just begun had nothing yet to look for changes of

std::string text_of(const Json& json, const char* name)
{
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// The daemon may be of another version: a missing field is unknown.
sync::State read_state(const Json& status)
{
    const Json upstream = status.value("upstream", Json::object()), mirror = status.value("mirror", Json::object());
    const Json backfill = mirror.value("backfill", Json::object());
    sync::State state;
    state.reachable = !upstream.contains("reachable") || upstream["reachable"] != false;
    state.key_accepted = !upstream.contains("keyAccepted") || upstream["keyAccepted"] != false;
    state.error = text_of(upstream, "error");
    state.verified_at = from_rfc3339(text_of(upstream, "lastVerifiedAt"));
    state.conversations = mirror.value("conversations", std::int64_t{0});
    state.chats = mirror.value("chats", std::int64_t{0});
    state.backfill_done = backfill.value("done", false);
    if (backfill.contains("fraction") && backfill["fraction"].is_number()) state.fraction = backfill["fraction"];
    if (backfill.contains("etaSeconds") && backfill["etaSeconds"].is_number())
        state.eta_seconds = backfill["etaSeconds"];
    for (const Json& problem : status.value("problems", Json::array()))
        if (text_of(problem, "what") == state.error) state.hint = text_of(problem, "hint");
    return state;
}

sync::State ask_state(const Context& context)
{
    DaemonRequest request;
    request.method = "GET";
    request.target = "/mirror/v1/status";
    const DaemonAnswer answer = call_daemon(context, request);
    const Json status = Json::parse(answer.body, nullptr, false);
    if (answer.status != 200) throw refused_by_daemon(answer);
    if (!status.is_object()) throw Error(Fault::io, "see its log", "the daemon's answer cannot be read");
    return read_state(status);
}

void tell(const Context& context, Accepted accepted)
{
    DaemonRequest request;
    request.method = "POST";
    request.target = fmt::format("/mirror/v1/sync?acceptDeletions={}&acceptKey={}", accepted.deletions, accepted.key);
    if (const DaemonAnswer answer = call_daemon(context, request); answer.status != 202)
        throw refused_by_daemon(answer);
}

void require_well(const sync::State& state)
{
    if (!state.key_accepted)
        throw Error(Fault::key_rejected, state.hint, "{}",
                    state.error.empty() ? "upstream refuses the daemon's key" : state.error);
    if (!state.reachable)
        throw Error(Fault::unreachable, state.hint, "{}",
                    state.error.empty() ? "the daemon cannot reach upstream" : state.error);
}

} // namespace

void sync_in_daemon(const Context& from, Accepted accepted, bool json)
{
    const Context context = remembering(from);
    SystemClock clock;
    SyncProgress progress(json, ask_state(context).chats);
    const Instant asked_at = clock.now();
    tell(context, accepted);
    for (Instant told_at = asked_at;;) {
        const sync::State state = ask_state(context);
        if (state.backfill_done && state.verified_at && *state.verified_at >= asked_at) return progress.finish(state);
        if (clock.now() - asked_at > grace) require_well(state);
        if (state.backfill_done && clock.now() - told_at > ask_again) {
            told_at = clock.now();
            tell(context, {});
        }
        progress.show(state);
        std::this_thread::sleep_for(look_again);
    }
}

} // namespace alli::daemon
