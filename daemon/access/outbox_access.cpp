// SPDX-License-Identifier: Apache-2.0
#include "daemon/access/outbox_access.hpp"

#include "alli/error.hpp"
#include "alli/sync_wait.hpp"
#include "cache/outbox/entry_json.hpp"
#include "cache/outbox/entry_summary.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/outbox/foreign_answers.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"
#include "cache/store.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/daemon_probe.hpp"
#include "upstream/curl/origin.hpp"

#include <algorithm>
#include <functional>

namespace alli::daemon {

static constexpr int largest_page = 1000;

void fail_absent(std::int64_t id)
{
    throw Error(Fault::refused, "alli-mirror outbox list shows what there is", "there is no write {} in the outbox",
                id);
}

OutboxAccess::OutboxAccess(const Context& context)
    : context_(remembering(context)), place_(find_mirror_location(context_.settings(), context_.environment))
{
    const auto owner = find_owner(place_.mirror_path);
    asks_daemon_ = owner.has_value();
    is_hidden_ = owner == hidden_owner;
}

OutboxAccess::~OutboxAccess() = default;

Json OutboxAccess::ask(const std::string& target) const
{
    const DaemonAnswer answer = call_daemon(context_, {"GET", target, ""});
    if (answer.status != 200) throw refused_by_daemon(answer);
    Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object()) throw Error(Fault::io, "see its log", "the daemon's answer cannot be read");
    return json;
}

// The list alone says nothing of what people wrote.
static void add_changes(Json& page, const std::function<std::string(std::int64_t)>& find_change)
{
    for (Json& entry : page["entries"]) entry["change"] = find_change(entry["id"].get<std::int64_t>());
}

Json OutboxAccess::list(const std::string& state, int limit, const std::string& before) const
{
    if (is_hidden_) {
        Json page = ask(fmt::format("/mirror/v1/outbox?limit={}{}{}", limit, state.empty() ? "" : "&state=" + state,
                                    before.empty() ? "" : "&cursor=" + before));
        add_changes(page, [&](std::int64_t id) -> std::string {
            const DaemonAnswer answer = call_daemon(context_, {"GET", fmt::format("/mirror/v1/outbox/{}", id), ""});
            return answer.status == 200 ? Json::parse(answer.body).value("change", "") : ""; // settled meanwhile
        });
        return page;
    }
    const auto db = cache::open_outbox(place_.mirror_path);
    cache::EntryQuery query;
    query.limit = limit;
    if (!state.empty()) query.state = cache::find_entry_state(state);
    if (!before.empty()) query.before = std::stoll(before);
    Json page = Json::parse(cache::entries_json(cache::list_entries(*db, query), limit));
    add_changes(page, [&](std::int64_t id) {
        const auto entry = cache::find_entry(*db, id);
        return entry ? cache::say_change(*entry) : ""; // settled and purged since
    });
    return page;
}

std::vector<Json> OutboxAccess::list_all(const std::string& state) const
{
    std::vector<Json> all;
    std::string before;
    for (bool more = true; more;) {
        const Json some = list(state, largest_page, before);
        for (const Json& entry : some["entries"]) all.push_back(entry);
        more = some["next"].is_string();
        if (more) before = some["next"].get<std::string>();
    }
    std::reverse(all.begin(), all.end());
    return all;
}

Json OutboxAccess::load(std::int64_t id) const
{
    if (is_hidden_) {
        const DaemonAnswer answer = call_daemon(context_, {"GET", fmt::format("/mirror/v1/outbox/{}", id), ""});
        if (answer.status == 404) fail_absent(id);
        if (answer.status != 200) throw refused_by_daemon(answer);
        return Json::parse(answer.body);
    }
    const auto db = cache::open_outbox(place_.mirror_path);
    const auto entry = cache::find_entry(*db, id);
    if (!entry) fail_absent(id);
    return Json::parse(cache::entry_json(*entry));
}

/// The two files, in the order in which a daemon changes them.
cache::OperatorResult OutboxAccess::steer_here(Deed deed, std::int64_t id)
{
    if (!store_) {
        cache::StoreOptions options;
        options.mirror_path = place_.mirror_path;
        options.url = place_.sandbox ? "sandbox:" : upstream::read_origin(context_.settings().config.upstream_url).base;
        options.threads = false;
        if (context_.settings().config.cluster.enabled() && !place_.sandbox) options.on_open = &cache::begin_notes;
        store_ = std::make_unique<cache::Store>(options);
    }
    cache::OperatorResult outcome{};
    const auto steer = [&](cache::Writer& db) {
        cache::put_in_doubt(db); // by a daemon that is no more: nobody sends
        outcome = deed == Deed::retry ? cache::retry_entry(db, id).outcome : cache::discard_entry(db, id);
        if (deed == Deed::retry) cache::forget_foreign(db, id); // a person vouches for it
    };
    const auto show_it = [&](cache::Writer& db) {
        const auto entry = store_->read_outbox([&](cache::Reader& outbox) { return cache::find_entry(outbox, id); });
        if (entry)
            cache::show_edit(db, *entry);
        else
            cache::drop_edit(db, id);
    };
    sync_wait(store_->write_outbox(steer));
    if (outcome == cache::OperatorResult::done) sync_wait(store_->write(show_it));
    return outcome;
}

static cache::OperatorResult outcome_of(const DaemonAnswer& answer, std::int64_t id)
{
    if (answer.status == 202 || answer.status == 204) return cache::OperatorResult::done;
    if (answer.status == 404) return cache::OperatorResult::absent;
    if (answer.status == 409) return cache::OperatorResult::wrong_state;
    if (answer.status == 401 || answer.status == 403) throw refused_by_daemon(answer);
    throw Error(Fault::io, "its log has the reason (journalctl -u alli-mirror)",
                "the daemon answered {} when asked about write {}", answer.status, id);
}

cache::OperatorResult OutboxAccess::steer(Deed deed, std::int64_t id)
{
    if (!asks_daemon_) return steer_here(deed, id);
    DaemonRequest request;
    request.method = deed == Deed::retry ? "POST" : "DELETE";
    request.target = fmt::format("/mirror/v1/outbox/{}{}", id, deed == Deed::retry ? "/retry" : "");
    return outcome_of(call_daemon(context_, request), id);
}

} // namespace alli::daemon
