// SPDX-License-Identifier: Apache-2.0
// The built-in sandbox: options of its data, and the directory of its mirror.
#pragma once

#include "sandbox/sandbox.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace alli::daemon {

inline constexpr const char* sandbox_key = "sandbox";

struct SandboxChoice {
    int conversations = 0; // 0: what the sandbox takes by itself
    std::uint64_t seed = 1;
    std::string corpus;
    bool keep = false;
};

/// Declares --conversations, --seed and --corpus.
std::vector<CLI::Option*> add_sandbox_choice(CLI::App& arguments, SandboxChoice& choice);

/// Converts the choice into the sandbox's options.
sandbox::Options sandbox_options(const SandboxChoice& choice);
std::unique_ptr<sandbox::Sandbox> start_sandbox(const SandboxChoice& choice);

/// Creates the directory of the sandbox's mirror and, unless `keep`, removes the files of an earlier run, because the
/// sandbox generates new data at each start. Throws Error{busy} while another process uses them. Returns the directory.
std::string prepare_sandbox_home(const std::string& mirror_path, bool keep);

} // namespace alli::daemon
