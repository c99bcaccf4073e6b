// SPDX-License-Identifier: Apache-2.0
// The operations of the API whose method or path its contract only infers, as the settings have them. Routes, outbox,
// delivery, page and MCP all take them from here; what is not here is documented, and a constant. Pure: any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

namespace alli {

struct Operation {
    std::string method;
    std::string path; // with a segment {id} where the operation is about one conversation

    bool operator==(const Operation&) const = default;
};

struct Operations {
    Operation daily_count{"GET", "/webapi/v2/conversations/daily_count"};
    Operation update{"PUT", "/webapi/v2/conversations/{id}"};
    Operation remove{"DELETE", "/webapi/v2/conversations/{id}"};
    Operation title{"PUT", "/webapi/v2/conversations/{id}/title"};

    bool operator==(const Operations&) const = default;
};

/// What may be written for one of them.
struct OperationRule {
    std::string_view key;  // of the setting, and the member's name in status: "upstream.title" is "title"
    std::string_view name; // in proxy/routes.cpp: the contract's operationId
    Operation Operations::*member;
    std::span<const std::string_view> methods;
    bool names_conversation;
};
std::span<const OperationRule> operation_rules() noexcept;

/// "PUT /webapi/v2/conversations/{id}/title". Throws Error{settings}, whose sentence begins with the rule's key.
Operation read_operation(std::string_view text, const OperationRule& rule);
std::string text_of(const Operation& operation);

/// The path with an id, percent-encoded already, in the place of {id}.
std::string path_with(const Operation& operation, std::string_view encoded_id);

} // namespace alli
