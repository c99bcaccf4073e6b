// SPDX-License-Identifier: Apache-2.0
// The state of the mirror, as JSON (the shape "status" of the local API, the same for the command) and in words.
#pragma once

#include "cache/outbox.hpp"
#include "cache/sqlite.hpp"
#include "cache/summaries.hpp"
#include "cache/visibility.hpp"
#include "daemon/load_settings.hpp"
#include "proxy/passed_up.hpp"
#include "sync/engine.hpp"
#include "upstream/pace.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// `live`: what the engine of this process knows; none outside the daemon, where it comes out as null.
/// `outbox`: a reader of that file.
/// What may go upstream now, and what holds it back.
Json make_budget(const upstream::Pace::State& pace);

Json make_status(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State* live);

/// For who sees a part of the mirror.
Json make_status_in_view(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State& live,
                         const cache::Visibility& seen);

/// The member `outbox`.
Json make_outbox(const cache::OutboxCounts& counts);

/// Problems for what the settings say in an old way.
void add_notes(Json& problems, const std::vector<std::string>& notes);

/// Problems for the parameters that often send reads upstream.
void add_passed_up(Json& problems, const std::vector<proxy::PassedUp::Count>& frequent);

/// From the running daemon where one answers, else from the files alone; `daemon` says which.
Json load_status(const Context& context);

/// {"complete","from","through"}: the newest stretch without a gap.
Json make_coverage(cache::Reader& db);

/// RFC 3339, or null.
Json time_json(std::optional<Instant> when);

/// A conversation as `list --json` and the assistant's tools show it.
Json summary_json(const cache::Summary& summary);

/// In words a person can act on, several lines. `now` is for ages.
std::string say_status(const Json& status, Instant now);

/// As text, whatever bytes are in it.
std::string dump(const Json& json, int indent = -1);

} // namespace alli::daemon
