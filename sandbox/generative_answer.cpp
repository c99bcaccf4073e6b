// SPDX-License-Identifier: Apache-2.0
// An answer out of the knowledge bases, which belongs to no conversation: a line for what is new of it, and in the end
// all of it.
#include "sandbox/encoding.hpp"
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::sandbox {
namespace {

constexpr std::size_t lines = 10;

std::string deltas(const std::string& answer)
{
    std::string all;
    std::size_t said = 0;
    for (std::size_t i = 1; i <= lines; ++i) {
        const std::string so_far = i == lines ? answer : first_characters(answer, answer.size() * i / lines);
        all += fmt::format(R"({{"type":"delta","delta":{}}})", json_text(so_far.substr(said))) + '\n';
        said = so_far.size();
    }
    return all + fmt::format(R"({{"type":"final","answer":{},"clues":[]}})", json_text(answer)) + '\n';
}

} // namespace

Answer generate_answer(Desk& desk, const Call& call)
{
    const App& app = load_app(desk, call);
    const Json body = read_object(call);
    const auto query = body.find("query");
    if (query == body.end() || !query->is_string()) bad_parameter("query must be a string");
    return streamed(desk, deltas(fmt::format("{} knows: {}", app.name, query->get<std::string>())));
}

} // namespace alli::sandbox
