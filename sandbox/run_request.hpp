// SPDX-License-Identifier: Apache-2.0
// What a call to run an app asks for, as JSON or as a form with a part named "json" (api/NOTES.md). Pure.
#pragma once

#include "sandbox/call.hpp"

#include <optional>
#include <string>

namespace alli::sandbox {

struct RunRequest {
    enum class Mode { sync, stream, background };

    Mode mode = Mode::sync;
    std::optional<std::string> conversation_id;
    std::string message;
};

/// Throws Error{usage} or Error{bad_reply}. `form_only`: it must be a form.
RunRequest read_run_request(const Call& call, bool form_only);

} // namespace alli::sandbox
