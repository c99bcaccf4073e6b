// SPDX-License-Identifier: Apache-2.0
#include "sandbox/run_request.hpp"

#include "sandbox/operations.hpp"

#include <array>

namespace alli::sandbox {
namespace {

using Mode = RunRequest::Mode;

struct NamedMode {
    std::string_view name;
    Mode mode;
};
constexpr std::array modes{NamedMode{"sync", Mode::sync}, NamedMode{"stream", Mode::stream},
                           NamedMode{"background", Mode::background}};

// RFC 2046: between lines of "--boundary" stand parts, each of a head, an empty line and a body.
std::optional<std::string> find_part(std::string_view form, std::string_view boundary, std::string_view name)
{
    const std::string mark = "--" + std::string(boundary);
    const std::string wanted = "name=\"" + std::string(name) + '"';
    for (auto at = form.find(mark); at != form.npos; at = form.find(mark, at + mark.size())) {
        const std::string_view part = form.substr(at + mark.size());
        const auto body = part.find("\r\n\r\n");
        const auto end = part.find("\r\n" + mark);
        if (body == part.npos || end == part.npos || end < body + 4) continue;
        if (part.substr(0, body).find(wanted) != part.npos) return std::string(part.substr(body + 4, end - body - 4));
    }
    return std::nullopt;
}

std::optional<std::string> form_json(const Call& call)
{
    constexpr std::string_view type = "multipart/form-data", key = "boundary=";
    const std::string_view given = call.header("Content-Type");
    const auto at = given.find(key);
    if (!given.starts_with(type) || at == given.npos) return std::nullopt;
    std::string_view boundary = given.substr(at + key.size());
    boundary = boundary.substr(0, boundary.find(';'));
    if (boundary.size() > 1 && boundary.front() == '"') boundary = boundary.substr(1, boundary.size() - 2);
    auto json = find_part(call.body, boundary, "json");
    if (!json) bad_parameter("the form has no part named json");
    return json;
}

std::string read_message(const Json& body)
{
    const auto chat = body.find("chat");
    const Json& holder = chat != body.end() && chat->is_object() ? *chat : body;
    const auto message = holder.find("message");
    if (message == holder.end()) return "Hello";
    if (!message->is_string()) bad_parameter("message must be a string");
    return message->get<std::string>();
}

Mode read_mode(const Json& body)
{
    const auto given = body.find("mode");
    if (given == body.end()) return Mode::sync;
    for (const NamedMode& one : modes)
        if (given->is_string() && *given == one.name) return one.mode;
    bad_parameter("mode must be sync, stream or background");
}

} // namespace

RunRequest read_run_request(const Call& call, bool form_only)
{
    auto form = form_json(call);
    if (form_only && !form) bad_parameter("multipart/form-data is needed");
    Call json = call;
    if (form) json.body = std::move(*form);
    const Json body = read_object(json);
    RunRequest request;
    request.mode = form_only ? Mode::stream : read_mode(body);
    request.message = read_message(body);
    const auto id = body.find("conversationId");
    if (id == body.end() || id->is_null()) return request;
    if (!id->is_string()) bad_parameter("conversationId must be a string");
    request.conversation_id = id->get<std::string>();
    return request;
}

} // namespace alli::sandbox
