// SPDX-License-Identifier: Apache-2.0
// Lines that a client of the Model Context Protocol sends, whatever they are: each answer is one line of JSON-RPC.
#include "daemon/mcp/mcp.hpp"
#include "tests/fuzz/target.hpp"

using namespace alli;
using namespace alli::daemon;

namespace {

void check_answer(const std::string& line)
{
    fuzz::require(line.find('\n') == line.npos, "an answer is one line");
    const auto json = nlohmann::json::parse(line, nullptr, false);
    fuzz::require(!json.is_discarded(), "an answer is JSON");
    const auto check_one = [](const nlohmann::json& one) {
        fuzz::require(one.is_object() && one.value("jsonrpc", "") == "2.0", "an answer says what it is");
        fuzz::require(one.contains("result") != one.contains("error"), "it has a result or an error");
    };
    if (!json.is_array()) return check_one(json);
    for (const auto& one : json) check_one(one);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    constexpr auto schema = R"({"type":"object"})";
    McpServer server({{"echo", "Echo", "says it again", schema, schema, false, [](const Json& it) { return it; }}});
    std::string_view rest = fuzz::text_of(data, size);
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        server.look_ahead(line);
        if (const auto answer = server.answer(line)) check_answer(*answer);
    }
    return 0;
}
