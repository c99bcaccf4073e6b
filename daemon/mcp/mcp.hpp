// SPDX-License-Identifier: Apache-2.0
// A Model Context Protocol server, one JSON message a line: version negotiation, the list of tools, and calls. A tool
// is a row with its function, so this part does not know the mirror. One thread.
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

    /// Handles a line and returns the response line, if any. Never throws.
    std::optional<std::string> answer(std::string_view line);
    /// Call it for each line on arrival, before answer(). A cancellation removes the waiting request it names; a
    /// cancellation of any other request is ignored.
    void look_ahead(std::string_view line);
    /// The error response to a line that cannot be parsed at all.
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
