// SPDX-License-Identifier: Apache-2.0
// A value as it was written into the member that its setting names, by the member's type and the setting's rule. Pure.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// None when it was taken; else what is expected there ("a duration such as \"30s\""), and nothing changed.
std::optional<std::string> assign(Config& config, const Setting& setting, const Raw& value);

/// The text of an environment variable as the setting's type would be written, without white space around it (files of
/// variables with Windows' line ends leave a carriage return there); lists are separated by commas.
Raw from_text(const Setting& setting, const std::string& text);

/// Whether the whole text stands in quotes, as no value does.
bool is_quoted(std::string_view text);

/// The value of a setting as it is written in TOML: "30s", ["a", "b"], true.
std::string toml_text(const Config& config, const Setting& setting);

/// What may be written there: "duration", "one of a, b", "number from 1 to 64".
std::string kind_of(const Setting& setting);

/// The value as an error message shows it.
std::string describe(const Raw& value);

} // namespace alli::daemon
