// SPDX-License-Identifier: Apache-2.0
#include "alli/operation.hpp"

#include "alli/error.hpp"

#include <algorithm>

namespace alli {
namespace {

constexpr std::string_view root = "/webapi/";
constexpr std::string_view id_segment = "{id}";

constexpr std::array<std::string_view, 1> reading{"GET"};
constexpr std::array<std::string_view, 3> updating{"PUT", "PATCH", "POST"};
constexpr std::array<std::string_view, 4> removing{"DELETE", "POST", "PUT", "PATCH"};

constexpr std::array rules{
    OperationRule{"upstream.daily_count", "dailyConversationCount", &Operations::daily_count, reading, false},
    OperationRule{"upstream.update", "updateConversation", &Operations::update, updating, true},
    OperationRule{"upstream.delete", "deleteConversation", &Operations::remove, removing, true},
    OperationRule{"upstream.title", "setConversationTitle", &Operations::title, updating, true},
};

[[noreturn]] void refuse(const OperationRule& rule, std::string_view why)
{
    const Operation example = Operations{}.*rule.member;
    throw Error(Fault::settings, fmt::format("write it as \"{}\"", text_of(example)), "{} {}", rule.key, why);
}

// Characters that stand in a path as they are; what else a segment holds would have to be percent-encoded, and then a
// request could spell it in more ways than one.
bool is_plain(std::string_view segment)
{
    return std::all_of(segment.begin(), segment.end(), [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("?#%{}\\\"<>^`|").find(c) == std::string_view::npos;
    });
}

// How many segments are {id}.
int check_segments(std::string_view path, const OperationRule& rule)
{
    int ids = 0;
    for (path.remove_prefix(1); !path.empty();) {
        const std::string_view segment = path.substr(0, path.find('/'));
        const bool last = segment.size() == path.size();
        path.remove_prefix(last ? path.size() : segment.size() + 1);
        if (segment.empty() || (!last && path.empty())) refuse(rule, "has an empty part between two slashes");
        if (segment == id_segment) {
            ++ids;
            continue;
        }
        if (segment == "." || segment == "..") refuse(rule, "must not have . or .. in its path");
        if (segment.find_first_of("?#") != segment.npos)
            refuse(rule, "must be a path alone, without a query: the call's own is added");
        if (segment.find_first_of("{}") != segment.npos)
            refuse(rule, "may have {id} alone in braces, as a whole part between slashes");
        if (!is_plain(segment)) refuse(rule, "has a character in its path that must not be there");
    }
    return ids;
}

} // namespace

std::span<const OperationRule> operation_rules() noexcept
{
    return rules;
}

Operation read_operation(std::string_view text, const OperationRule& rule)
{
    const auto blank = text.find(' ');
    const std::string_view method = text.substr(0, blank);
    if (blank == text.npos || std::find(rule.methods.begin(), rule.methods.end(), method) == rule.methods.end())
        refuse(rule, fmt::format("must begin with a method ({}) and a blank", fmt::join(rule.methods, ", ")));
    std::string_view path = text.substr(blank);
    path.remove_prefix(std::min(path.find_first_not_of(' '), path.size()));
    if (!path.starts_with(root) || path.size() == root.size())
        refuse(rule, "must have a path under /webapi/, as it follows the host");
    const int ids = check_segments(path, rule);
    if (rule.names_conversation && ids != 1)
        refuse(rule, ids == 0 ? "must say by {id} where the conversation's id stands" : "has {id} more than once");
    if (!rule.names_conversation && ids != 0) refuse(rule, "is about no single conversation: there is no {id} in it");
    return {std::string(method), std::string(path)};
}

std::string text_of(const Operation& operation)
{
    return operation.method + ' ' + operation.path;
}

std::string path_with(const Operation& operation, std::string_view encoded_id)
{
    std::string path = operation.path;
    const auto at = path.find(id_segment);
    if (at != path.npos) path.replace(at, id_segment.size(), encoded_id);
    return path;
}

} // namespace alli
