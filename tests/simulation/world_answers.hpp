// SPDX-License-Identifier: Apache-2.0
// What the parts of the simulated upstream share: where it is, and answers as they are.
#pragma once

#include "tests/simulation/world.hpp"

namespace simulation {

inline constexpr std::string_view root = "/webapi/v2/conversations";

inline alli::upstream::Reply plain(int status, std::string body, const char* type = "application/json")
{
    alli::upstream::Reply made;
    made.status = status;
    made.headers.add("Content-Type", type);
    made.body = std::move(body);
    return made;
}

inline std::string decode(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%')
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)), i += 2;
        else
            out += text[i];
    }
    return out;
}

} // namespace simulation
