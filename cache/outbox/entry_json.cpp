// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/entry_json.hpp"

#include "alli/json_scan.hpp"
#include "cache/outbox/entry_summary.hpp"

#include <nlohmann/json.hpp>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

template <class T>
Json or_null(const std::optional<T>& value)
{
    return value ? Json(*value) : Json(nullptr);
}

Json time_or_null(const std::optional<Instant>& when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

// What was sent, as JSON where it is.
Json body_json(const std::string& text)
{
    constexpr std::size_t deepest = 500; // to write it again takes of the stack for each
    if (is_deeper_than(text, deepest)) return text;
    Json json = Json::parse(text, nullptr, false);
    return json.is_discarded() ? Json(text) : json;
}

Json summary(const Entry& entry)
{
    Json json;
    json["id"] = entry.id;
    json["conversationId"] = entry.conversation ? Json(entry.conversation->value) : Json(nullptr);
    json["operation"] = name_of(entry.kind);
    json["method"] = entry.method;
    json["path"] = entry.path;
    json["state"] = name_of(entry.state);
    json["attempts"] = entry.attempts;
    json["createdAt"] = to_rfc3339(entry.created_at);
    json["nextAttemptAt"] = time_or_null(entry.next_attempt_at);
    json["lastStatus"] = or_null(entry.last_status);
    json["lastError"] = or_null(entry.last_error);
    return json;
}

std::string dump(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string entries_json(const std::vector<Entry>& entries, int limit)
{
    Json body;
    body["entries"] = Json::array();
    for (const Entry& entry : entries) body["entries"].push_back(summary(entry));
    const bool more = std::ssize(entries) == limit;
    body["next"] = more ? Json(std::to_string(entries.back().id)) : Json(nullptr);
    return dump(body);
}

std::string entry_json(const Entry& entry)
{
    Json json = summary(entry);
    json["change"] = say_change(entry);
    json["request"]["headers"] = body_json(entry.headers);
    json["request"]["body"] = entry.body.empty() ? Json(nullptr) : body_json(entry.body);
    json["response"] = nullptr;
    if (entry.response) {
        json["response"] = Json::object();
        json["response"]["status"] = or_null(entry.last_status);
        json["response"]["body"] = body_json(*entry.response);
    }
    json["base"] = entry.base ? body_json(*entry.base) : Json(nullptr); // the values before, where they were known
    json["conflict"] = entry.conflict ? body_json(*entry.conflict) : Json(nullptr);
    return dump(json);
}

} // namespace alli::cache
