// SPDX-License-Identifier: Apache-2.0
// Text and JSON out of what is nearly JSON. Whatever was sent, what comes out is UTF-8. Pure: any thread.
#pragma once

#include "alli/json_scan.hpp"
#include "alli/json_string.hpp"

#include <string>

namespace alli {

/// The text of a string value; empty for any other.
std::string text_of(JsonValue value);

/// A value that parsers read: itself where it is JSON; else with its strings decoded, null for words and numbers that
/// JSON does not have and for what is nested deeper than parsers go, commas and colons where they belong.
std::string readable_json(std::string_view raw);

} // namespace alli
