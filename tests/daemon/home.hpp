// SPDX-License-Identifier: Apache-2.0
// A home of a test's own, and the program run in it: nothing of the machine's settings or mirrors is seen.
#pragma once

#include "sandbox/sandbox.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace alli::daemon {

class Home {
    support::TempDir directory_; // first: the environment names it

  public:
    support::Process::Environment environment{{"HOME", directory_.path()}, {"ALLI_MIRROR_PROXY_LISTEN", "127.0.0.1:0"}};

    std::string path(const std::string& name) const { return directory_ / name; }
    std::string mirror() const { return path(".local/state/alli-mirror/mirror.db"); }

    std::string write(const std::string& name, const std::string& text,
                      std::filesystem::perms mode = std::filesystem::perms(0600)) const
    {
        std::ofstream(path(name)) << text;
        std::filesystem::permissions(path(name), mode);
        return path(name);
    }

    /// Points the program at a sandbox.
    void use(const sandbox::Sandbox& upstream, const std::string& key = "sandbox")
    {
        environment["ALLI_MIRROR_UPSTREAM_URL"] = upstream.url();
        environment["ALLI_API_KEY"] = key;
        environment["ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND"] = "0";
        environment["ALLI_MIRROR_UPSTREAM_READ_LAG"] = "50ms"; // its reads do not lag unless they are told to
    }

    static std::vector<std::string> words(std::vector<std::string> arguments)
    {
        arguments.emplace(arguments.begin(), ALLI_MIRROR_BINARY);
        return arguments;
    }

    support::Finished run(std::vector<std::string> arguments) const
    {
        return support::run_process(words(std::move(arguments)), environment);
    }
};

inline sandbox::Options small_sandbox(int conversations = 12)
{
    sandbox::Options options;
    options.conversations = conversations;
    return options;
}

} // namespace alli::daemon
