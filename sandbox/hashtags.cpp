// SPDX-License-Identifier: Apache-2.0
// The hashtags that sort the project's knowledge bases.
#include "sandbox/operations.hpp"

#include <array>

namespace alli::sandbox {
namespace {

constexpr auto names = std::to_array<std::string_view>({"handbook", "반품", "温泉"});

} // namespace

Answer list_hashtags(Desk&, const Call&)
{
    Json all = Json::array();
    for (std::size_t i = 0; i < names.size(); ++i)
        all.push_back({{"id", "tag-" + std::to_string(i)}, {"name", names[i]}});
    return {.body = R"({"hashtags":)" + all.dump() + '}'};
}

} // namespace alli::sandbox
