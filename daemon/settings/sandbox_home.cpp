// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/sandbox_home.hpp"

#include "alli/error.hpp"
#include "cache/db/lock.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace alli::daemon {

std::vector<CLI::Option*> add_sandbox_choice(CLI::App& arguments, SandboxChoice& choice)
{
    return {
        arguments.add_option("--conversations", choice.conversations, "how many")->check(CLI::Range(1, 10'000'000)),
        arguments.add_option("--seed", choice.seed, "its data come from this number"),
        arguments.add_option("--corpus", choice.corpus, "dialogues to use (JSON lines, also gzipped)")
            ->type_name("FILE"),
    };
}

sandbox::Options sandbox_options(const SandboxChoice& choice)
{
    sandbox::Options options;
    options.api_key = sandbox_key;
    options.conversations = choice.conversations;
    options.seed = choice.seed;
    options.corpus = choice.corpus;
    return options;
}

std::unique_ptr<sandbox::Sandbox> start_sandbox(const SandboxChoice& choice)
{
    return std::make_unique<sandbox::Sandbox>(sandbox_options(choice));
}

std::string prepare_sandbox_home(const std::string& mirror_path, bool keep)
{
    claim_directory_of(mirror_path);
    const auto directory = std::filesystem::path(mirror_path).parent_path();
    const cache::Lock lock(directory.string()); // nobody's files are taken away under them
    if (keep) return directory.string();
    for (const char* database : {"mirror.db", "outbox.db"})
        for (const char* ending : {"", "-wal", "-shm"}) {
            std::error_code fault;
            std::filesystem::remove(directory / (std::string(database) + ending), fault);
            if (fault)
                throw Error(Fault::io, "check the owner of that directory",
                            "cannot remove the sandbox's old mirror in {}: {}", directory.string(), fault.message());
        }
    return directory.string();
}

SandboxLeftovers::SandboxLeftovers(const std::string& mirror_path)
    : directory_(std::filesystem::path(mirror_path).parent_path())
{
    std::error_code hidden;
    for (auto path = directory_; path.has_relative_path() && !std::filesystem::exists(path, hidden);
         path = path.parent_path())
        first_made_ = path;
}

SandboxLeftovers::~SandboxLeftovers()
{
    if (!watches_) return;
    std::error_code ignored; // the failure itself is what a person needs to hear
    for (const char* database : {"mirror.db", "outbox.db"})
        for (const char* ending : {"", "-wal", "-shm"})
            std::filesystem::remove(directory_ / (std::string(database) + ending), ignored);
    for (const char* file : {"alli-mirror.lock", "tokens"})
        if (!first_made_.empty()) std::filesystem::remove(directory_ / file, ignored);
    if (first_made_.empty()) return;
    for (auto path = directory_; path != first_made_.parent_path(); path = path.parent_path())
        if (!std::filesystem::remove(path, ignored)) return; // somebody else's files are in it
}

} // namespace alli::daemon
