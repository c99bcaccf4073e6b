// SPDX-License-Identifier: Apache-2.0
// One request that passed the guard, and what dispatch found it to be. Lives on the loop of its connection.
#pragma once

#include "alli/headers.hpp"
#include "alli/ids.hpp"
#include "http/request_body.hpp"
#include "proxy/access/grant.hpp"
#include "proxy/access/principal.hpp"
#include "proxy/request/operation_id.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

struct Request {
    std::string method;
    std::string target; // origin form, byte for byte
    Headers headers;
    std::string body;                      // whole, but for relayed paths: they have
    http::RequestBody* incoming = nullptr; // what is still to be read; none: there is no body, or it is in `body`
    std::function<void()> end_with_client = [] {}; // from now on only the client has a use for the response
    std::string request_id;                        // X-Request-Id, the app's or ours
    std::shared_ptr<const Principal> principal;    // who asks; none: nobody that may do anything
    std::shared_ptr<const Grant> grant;            // what let that one in, and whether it still does

    // By dispatch, once:
    OperationId operation = OperationId::unknown;
    std::vector<std::string> ids;                              // what {id} and {chat} of the pattern matched, decoded
    std::optional<ConversationId> conversation = std::nullopt; // that it is about, as its path names it
    bool is_behind = false; // of a cluster: this node is not as far as the app has seen another one

    const Part& part() const noexcept; // what the principal may see
    std::string_view path() const noexcept;
    std::string_view query() const noexcept;
    bool has(std::string_view name) const noexcept { return headers.find(name) != nullptr; }
    /// The first of that name; empty: there is none.
    std::string_view header(std::string_view name) const noexcept { return headers.first(name); }
};

/// What a read of the contract is about, apart from the request that asked first.
struct ReadSubject {
    OperationId operation = OperationId::unknown;
    std::optional<ConversationId> conversation = {};
    std::optional<ChatId> chat = {};
};
ReadSubject subject_of(const Request& rq);

} // namespace alli::proxy
