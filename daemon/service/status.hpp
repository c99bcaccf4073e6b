// SPDX-License-Identifier: Apache-2.0
// The status of the mirror as JSON (the same for the API and the command) and as text.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/visibility.hpp"
#include "daemon/settings/load_settings.hpp"
#include "proxy/request/unsupported_parameters.hpp"
#include "sync/engine.hpp"
#include "upstream/rate_limiter.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// The request budget: what is in use, and what limits it.
Json make_budget(const upstream::RateLimiter::State& pace);

/// `live`: the engine's state in this process; without it (outside the daemon) its members are null. `outbox`: a reader
/// of that file.
Json make_status(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State* live);

/// The status for a token that sees a part of the mirror.
Json make_status_in_view(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State& live,
                         const cache::Visibility& seen);

/// The member `outbox`.
Json make_outbox(const cache::OutboxCounts& counts);

/// Adds a problem for each former name of a setting in use.
void add_notes(Json& problems, const std::vector<std::string>& notes);

/// Adds a problem for each parameter that often makes reads go upstream.
void add_unsupported_parameters(Json& problems, const std::vector<proxy::UnsupportedParameters::Count>& frequent);

/// The running daemon's status, else one from the files; the member `daemon` says which.
Json load_status(const Context& context);

/// {"complete","from","through"}: the newest contiguous range of the coverage.
Json make_coverage(cache::Reader& db);
Json coverage_json(const cache::Covered& covered);

/// RFC 3339, or null.
Json time_json(std::optional<Instant> when);

/// A conversation for `list --json` and the assistant's tools.
Json summary_json(const cache::Summary& summary);

/// The status as several lines of text. `now` is used for ages.
std::string say_status(const Json& status, Instant now);

/// JSON text; invalid UTF-8 is replaced.
std::string dump(const Json& json, int indent = -1);

} // namespace alli::daemon
