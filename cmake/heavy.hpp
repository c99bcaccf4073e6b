// SPDX-License-Identifier: Apache-2.0
// The precompiled header: what takes a compiler seconds to read and changes only with the machine. Chosen by
// measurement: nlohmann/json.hpp, CLI.hpp and spdlog.h instantiate in every file that sees them, so they are not here.
#pragma once

#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
