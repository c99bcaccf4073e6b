// SPDX-License-Identifier: Apache-2.0
// Conversion between a setting's member in Config and its text in TOML, the environment and messages, by the member's
// type and the setting's rule. Pure.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// Assigns the value. Otherwise returns what is expected ("a duration such as \"30s\"") and changes nothing.
std::optional<std::string> assign(Config& config, const Setting& setting, const Raw& value);

/// Reads the text of an environment variable by the setting's type. Surrounding white space is ignored (files with
/// Windows line ends leave a carriage return); commas separate the items of a list.
Raw from_text(const Setting& setting, const std::string& text);

/// True if quotes enclose the whole text, which no value does.
bool is_quoted(std::string_view text);

/// The value of a setting as it is written in TOML: "30s", ["a", "b"], true.
std::string toml_text(const Config& config, const Setting& setting);

/// The accepted values: "duration", "one of a, b", "number from 1 to 64".
std::string kind_of(const Setting& setting);

/// The value as an error message shows it.
std::string describe(const Raw& value);

} // namespace alli::daemon
