// SPDX-License-Identifier: Apache-2.0
// The built-in sandbox: options of its data, and the directory of its mirror.
#pragma once

#include "sandbox/sandbox.hpp"

#include <cstdint>
#include <filesystem>
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

/// Removes what a start that failed has made, so that no command finds a mirror there: the files, and the directories
/// that were not there before.
class SandboxLeftovers {
  public:
    /// Before prepare_sandbox_home().
    explicit SandboxLeftovers(const std::string& mirror_path);
    ~SandboxLeftovers();
    SandboxLeftovers(const SandboxLeftovers&) = delete;
    SandboxLeftovers& operator=(const SandboxLeftovers&) = delete;

    void watch() noexcept { watches_ = true; } // the directory is ours now
    void keep() noexcept { watches_ = false; } // it has started

  private:
    std::filesystem::path directory_, first_made_;
    bool watches_ = false;
};

} // namespace alli::daemon
