// SPDX-License-Identifier: Apache-2.0
// A row of the table of routes, and what a path was found to be. Plain data.
#pragma once

#include "alli/task.hpp"
#include "proxy/access/principal.hpp"
#include "proxy/request/operation_id.hpp"
#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

struct Context;

/// May throw; answer() in dispatch.cpp turns that into a response.
using Handler = Task<Response> (*)(const Context&, const Request&);

/// The scope that a route takes; none: anybody may. Without a default: a row that does not say it does not compile.
class Needed {
  public:
    constexpr Needed(std::optional<Scope> scope) : scope_(scope) {}
    constexpr std::optional<Scope> scope() const noexcept { return scope_; }

  private:
    std::optional<Scope> scope_;
};

/// What a route is for a principal that sees a part of the mirror (narrowed.hpp).
enum class Narrowed {
    refused,
    in_view,  // the handler shows what is in view alone, or nothing of the mirror
    by_id,    // likewise, once {id} is known to be in view
    by_chat,  // and {chat} to be of that conversation: upstream may look at the chat's id alone
    by_entry, // {id} is an outbox entry's, of a conversation in view
};

struct Route {
    std::string_view method, pattern;
    OperationId operation;
    Handler handler;
    ErrorFormat error_format;
    Needed needed;
    Narrowed narrowed;
};

struct Match {
    const Route* route = nullptr; // none: no such path, or not this method
    std::vector<std::string> ids;
    std::string allow;                          // the methods of this path; empty: it is in no row
    std::optional<ConversationId> conversation; // that the path names, in a row or under the contract's conversations
};

} // namespace alli::proxy
