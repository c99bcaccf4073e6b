// SPDX-License-Identifier: Apache-2.0
// The sandbox that the program brings along: what can be chosen about its data, and the directory of its mirror.
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

/// The sandbox's own options out of the choice.
sandbox::Options sandbox_options(const SandboxChoice& choice);
std::unique_ptr<sandbox::Sandbox> start_sandbox(const SandboxChoice& choice);

/// Makes the directory of the sandbox's mirror and, unless `keep`, takes the files of an earlier run away: the
/// sandbox's data are made anew at each start. Throws Error{busy} while another process uses them. Returns the
/// directory.
std::string prepare_sandbox_home(const std::string& mirror_path, bool keep);

} // namespace alli::daemon
