// SPDX-License-Identifier: Apache-2.0
// For rooms most of whose files make JSON, and for tests.
#pragma once

#include "cmake/heavy.hpp"

#include <nlohmann/json.hpp>
