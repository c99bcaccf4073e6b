// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/question.hpp"

#include <spdlog/fmt/fmt.h>

#include <cstdio>
#include <iostream>
#include <string>

namespace alli::daemon {

bool confirm(std::string_view question)
{
    std::fflush(stdout);
    fmt::print(stderr, "{} [y/N] ", question);
    std::fflush(stderr);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

} // namespace alli::daemon
