// SPDX-License-Identifier: Apache-2.0
#include "proxy/writes/write_check.hpp"

#include "alli/headers.hpp"
#include "proxy/request/half_pairs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <algorithm>
#include <charconv>

namespace alli::proxy {
namespace {

using cache::EditKind;
using nlohmann::json;

constexpr int max_depth = 64;
constexpr std::chrono::seconds longest_wait{60};

using Check = bool (*)(const json&);
constexpr Check text = [](const json& value) { return value.is_string(); };
constexpr Check text_or_null = [](const json& value) { return value.is_string() || value.is_null(); };
constexpr Check truth_or_null = [](const json& value) { return value.is_boolean() || value.is_null(); };
constexpr Check texts = [](const json& value) {
    return value.is_null() || (value.is_array() && std::all_of(value.begin(), value.end(),
                                                               [](const json& one) { return one.is_string(); }));
};

struct Member {
    EditKind kind;
    const char* name;
    Check check;
    const char* complaint;
};
constexpr auto members = std::to_array<Member>({
    {EditKind::update, "state", text_or_null, "state must be a string or null"},
    {EditKind::update, "assignee", text_or_null, "assignee must be a string or null"},
    {EditKind::update, "title", text_or_null, "title must be a string or null"},
    {EditKind::update, "categoryIds", texts, "categoryIds must be a list of strings"},
    {EditKind::title, "title", text, "title must be a string"},
    {EditKind::feedback, "rating", truth_or_null, "rating must be true, false or null"},
    {EditKind::feedback, "feedbackSelection", text_or_null, "feedbackSelection must be a string or null"},
    {EditKind::feedback, "suggestedAnswer", text_or_null, "suggestedAnswer must be a string or null"},
    {EditKind::bulk_update, "userIds", texts, "userIds must be a list of strings"},
    {EditKind::bulk_update, "llmAppIds", texts, "llmAppIds must be a list of strings"},
    {EditKind::bulk_update, "categoryIds", texts, "categoryIds must be a list of strings"},
    {EditKind::bulk_update, "conversationIds", texts, "conversationIds must be a list of strings"},
});

bool needs_body(EditKind kind)
{
    return kind != EditKind::remove && kind != EditKind::stop;
}

// Counts brackets outside of strings; the parser finds other faults.
bool too_deep(std::string_view body)
{
    int depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < body.size(); ++i) {
        const char c = body[i];
        if (quoted) {
            if (c == '\\') ++i;
            if (c == '"') quoted = false;
            continue;
        }
        if (c == '"') quoted = true;
        if ((c == '{' || c == '[') && ++depth > max_depth) return true;
        if (c == '}' || c == ']') --depth;
    }
    return false;
}

Response refusal(int status, int code, std::string_view message)
{
    json body;
    body["type"] = "APIError";
    body["code"] = code;
    body["message"] = message;
    Response response = text_response("application/json", body.dump());
    response.status = status;
    return response;
}

Response bad_json(std::string_view message)
{
    return refusal(400, 7002, message);
}

Response bad_parameter(std::string_view message)
{
    return refusal(400, 7003, message);
}

std::optional<std::string_view> complaint_about(const json& body, EditKind kind)
{
    for (const Member& member : members) {
        if (member.kind != kind) continue;
        const auto found = body.find(member.name);
        if (found != body.end() && !member.check(*found)) return member.complaint;
    }
    return std::nullopt;
}

bool selects_something(const json& body)
{
    return std::any_of(members.begin(), members.end(), [&](const Member& member) {
        const auto found = body.find(member.name);
        return member.kind == EditKind::bulk_update && found != body.end() && found->is_array() && !found->empty();
    });
}

// A bulk update is documented, and a wrong one would change too many conversations.
std::optional<Response> refuse_bulk(const json& body)
{
    if (!body.is_object()) return bad_parameter("the body must be an object");
    if (const auto complaint = complaint_about(body, EditKind::bulk_update)) return bad_parameter(*complaint);
    if (!selects_something(body)) return bad_parameter("a filter is required: it would change every conversation");
    const auto info = body.find("conversationInfo");
    if (info == body.end() || !info->is_object()) return bad_parameter("conversationInfo must be an object");
    if (const auto complaint = complaint_about(*info, EditKind::update)) return bad_parameter(*complaint);
    return std::nullopt;
}

// The contract of the others is partly inferred: upstream may accept what it does not show.
std::optional<std::string_view> doubt_about(const json& body, EditKind kind)
{
    if (!body.is_object()) return "the body must be an object";
    if (const auto complaint = complaint_about(body, kind)) return complaint;
    if (kind == EditKind::title && !body.contains("title")) return "title must be a string";
    return std::nullopt;
}

constexpr std::string_view half_a_pair =
    "a text of the body ends within a character (half a surrogate pair, as of an emoji that was cut)";

bool is_cut_text(std::string body)
{
    replace_half_pairs(body);
    return json::accept(body);
}

std::optional<Response> refuse_type(const Request& rq)
{
    if (rq.has("Content-Encoding") && !same_name(rq.header("Content-Encoding"), "identity"))
        return refusal(415, 7003, "a body must come as it is, without a Content-Encoding");
    if (rq.body.empty() || !rq.has("Content-Type")) return std::nullopt;
    const std::string_view type = rq.header("Content-Type");
    if (same_name(trimmed(type.substr(0, type.find(';'))), "application/json")) return std::nullopt;
    return refusal(415, 7002, "the body must be application/json");
}

// It waits as JSON, which holds no other bytes: kept by halves it would name another user.
std::optional<Response> refuse_headers(const Request& rq)
{
    for (const char* name : headers_of_a_write)
        if (!simdjson::validate_utf8(rq.header(name))) return bad_parameter(fmt::format("{} is not UTF-8", name));
    return std::nullopt;
}

} // namespace

WriteCheck check_write(const Request& rq, EditKind kind)
{
    WriteCheck check;
    check.refusal = refuse_type(rq);
    if (!check.refusal) check.refusal = refuse_headers(rq);
    if (check.refusal || (rq.body.empty() && !needs_body(kind))) return check;
    const json body = too_deep(rq.body) ? json() : json::parse(rq.body, nullptr, false);
    if (too_deep(rq.body))
        check.refusal = bad_json("the body is nested too deeply");
    else if (body.is_discarded() && !is_cut_text(rq.body))
        check.refusal = bad_json("the body is not JSON");
    else if (body.is_discarded() && kind == EditKind::bulk_update)
        check.refusal = bad_json(half_a_pair);
    else if (body.is_discarded())
        check.doubt = half_a_pair; // JSON by its grammar: upstream may take it
    else if (kind == EditKind::bulk_update)
        check.refusal = refuse_bulk(body);
    else if (needs_body(kind))
        check.doubt = doubt_about(body, kind);
    return check;
}

bool sets_title_alone(std::string_view body)
{
    const json found = too_deep(body) ? json() : json::parse(body, nullptr, false);
    return found.is_object() && found.size() == 1 && found.contains("title") && found["title"].is_string();
}

Response doubtful_refusal(std::string_view doubt)
{
    return bad_parameter(doubt);
}

Response must_not_overtake(std::string_view doubt)
{
    return problem(ErrorFormat::webapi, 503,
                   fmt::format("{}: upstream is to judge it, once what waits or is in conflict before it is settled"
                               " (alli-mirror outbox)",
                               doubt));
}

Preference read_preference(std::string_view header)
{
    Preference preference;
    while (!header.empty()) {
        const std::string_view one = trimmed(header.substr(0, header.find(',')));
        header.remove_prefix(
            std::min(header.size(), header.find(',') == header.npos ? header.size() : header.find(',') + 1));
        if (same_name(one, "respond-async")) preference.respond_async = true;
        constexpr std::string_view wait = "wait=";
        if (!same_name(one.substr(0, wait.size()), wait)) continue;
        int seconds = 0;
        const auto [end, bad] = std::from_chars(one.data() + wait.size(), one.data() + one.size(), seconds);
        if (bad != std::errc{} || end != one.data() + one.size() || seconds < 0) continue; // ignored
        preference.wait = std::min<std::chrono::milliseconds>(std::chrono::seconds(seconds), longest_wait);
    }
    return preference;
}

} // namespace alli::proxy
