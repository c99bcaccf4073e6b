// SPDX-License-Identifier: Apache-2.0
// The Model Context Protocol's server side, one message a line: which version is spoken, which tools there are, a call
// of one. Knows nothing of the mirror: what a tool does is in its row. Pure but for what the tools do; one thread.
#pragma once

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

struct McpTool {
    std::string_view name, title, description;
    std::string_view input;  // JSON schema of its arguments
    std::string_view output; // and of its result
    bool writes = false;
    std::function<Json(const Json& arguments)> run; // throws Error for what cannot be done
};

class McpServer {
  public:
    explicit McpServer(std::vector<McpTool> tools);

    /// A line that came; the line to answer with, or none. Never throws.
    std::optional<std::string> answer(std::string_view line);
    /// Each line as it comes, before it is answered: one that calls off a request that still waits takes that out. One
    /// of a request that does not wait is about nothing, and is forgotten.
    void look_ahead(std::string_view line);
    /// The answer to a line that cannot even be looked at.
    static std::optional<std::string> refuse(std::string_view why);

  private:
    void note(const Json& message);
    bool take_called_off(const Json& id);
    Json answer_one(const Json& message);
    Json call(const Json& id, const std::string& method, const Json& parameters);
    Json initialize(const Json& parameters);
    Json list_tools() const;
    Json call_tool(const Json& parameters) const;

    std::vector<McpTool> tools_;
    std::string version_;                          // empty: not agreed on yet
    std::unordered_multiset<std::string> waiting_; // ids
    std::unordered_set<std::string> called_off_;   // among them
};

} // namespace alli::daemon
