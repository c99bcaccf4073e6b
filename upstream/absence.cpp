// SPDX-License-Identifier: Apache-2.0
#include "upstream/absence.hpp"

#include "upstream/authenticity.hpp"
#include "upstream/members.hpp"

#include <algorithm>
#include <array>

namespace alli::upstream {

bool says_absent(const Reply& reply) noexcept
{
    return reply.status == 404 || reply.status == 410;
}

std::string shape_of_absence(const Reply& reply)
{
    const std::string* type = reply.header("Content-Type");
    std::string shape = type ? type->substr(0, type->find(';')) : std::string();
    const auto members = members_of(reply.body);
    if (!members) return shape + '\n' + reply.body.substr(0, 4096);
    std::vector<std::string_view> names;
    for (const Member& member : *members) names.push_back(member.name);
    std::sort(names.begin(), names.end());
    for (const auto name : names) shape.append("\n").append(name);
    return shape;
}

std::string made_up_id(int n)
{
    // "Conversation:", 23 zeros and the digit.
    constexpr std::array<const char*, made_up_ids> ids{
        "Q29udmVyc2F0aW9uOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMA==", "Q29udmVyc2F0aW9uOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMQ==",
        "Q29udmVyc2F0aW9uOjAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMg=="};
    return ids.at(static_cast<std::size_t>(n));
}

} // namespace alli::upstream
