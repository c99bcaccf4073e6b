// SPDX-License-Identifier: Apache-2.0
// The knowledge bases that citations name (decoration.cpp): kb-0 and so on.
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::sandbox {
namespace {

constexpr int count = 20;

Json knowledge_base(int number)
{
    return {{"id", fmt::format("kb-{}", number)},
            {"title", fmt::format("Guide {}", number)},
            {"hashtags", Json::array()},
            {"state", "COMPLETED"}};
}

} // namespace

Answer list_knowledge_bases(Desk&, const Call&)
{
    Json all = Json::array();
    for (int i = 0; i < count; ++i) all.push_back(knowledge_base(i));
    return {.body = R"({"knowledgeBases":)" + all.dump() + R"(,"cursor":null})"};
}

Answer get_knowledge_base(Desk&, const Call& call)
{
    for (int i = 0; i < count; ++i)
        if (Json one = knowledge_base(i); one.at("id") == call.ids.at(0)) return {.body = one.dump()};
    not_found("Knowledge base");
}

} // namespace alli::sandbox
