// SPDX-License-Identifier: Apache-2.0
// What a member of the service's group reads: the files are closed to him, the daemon's socket is open, so its API is
// asked, and what it says is read into what the commands print.
#pragma once

#include "alli/ids.hpp"
#include "cache/insights/insight_types.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/search/search_query.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/settings/paths.hpp"

#include <nlohmann/json.hpp>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// True where this user may not see the mirror's directory and may use its daemon's socket.
bool must_ask_daemon(const MirrorLocation& place);
/// For what no daemon answers. Throws Error{refused} where must_ask_daemon().
void require_files(const MirrorLocation& place, std::string_view what);

using QueryParameters = std::vector<std::pair<std::string_view, std::string>>;
/// "/path?name=value&..."; empty values are left out.
std::string target_of(std::string_view path, const QueryParameters& parameters);

/// The body of a 200. Throws Error{refused} for another answer.
std::string ask_service(const Context& context, const std::string& target);
/// The same, piece by piece; throws as well where it breaks off.
void ask_service(const Context& context, const std::string& target, std::function<void(std::string_view)> sink);

struct ServiceSearch {
    cache::SearchResult result;
    cache::Covered covered;
};
struct ServiceInsights {
    cache::Insights insights;
    cache::Covered covered;
};
// They throw Error{io} for what cannot be read.
ServiceSearch read_search(const std::string& body);
ServiceInsights read_insights(const std::string& body);
cache::Covered ask_coverage(const Context& context);

struct ServiceConversation {
    cache::Summary summary;
    std::string raw;
};
/// The newest ones first.
std::vector<cache::Summary> ask_newest(const Context& context, int limit);
/// None: there is no such conversation.
std::optional<ServiceConversation> ask_conversation(const Context& context, const ConversationId& id);
/// All of them, oldest first.
std::vector<cache::ReadableChat> ask_chats(const Context& context, const ConversationId& id);

} // namespace alli::daemon
