// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/crash_phases.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/db/meta.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/verify.hpp"
#include "tests/powercut/workloads.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

namespace alli::powercut {
namespace {

namespace fs = std::filesystem;

struct Contents {
    Content mirror, outbox;
};

// What is derived: how an index is laid out differs (verify() holds it against the rows), and figures of days are kept
// when the daemon comes to it.
bool is_derived(const std::string& line)
{
    for (const char* table : {"chat_words_", "chat_letters_", "conversation_words_", "purged ", "insight_"})
        if (line.starts_with(table)) return true;
    return false;
}

// `delivers`: how often a daemon tried to send what waits differs, and so does what it shows of that.
Contents load_contents(cache::Store& store, bool delivers)
{
    Contents contents{store.read(&content_of_mirror), store.read_outbox(&content_of_outbox)};
    std::erase_if(contents.mirror, &is_derived);
    std::erase_if(contents.outbox, &is_derived); // hashes by a key of each run's own
    if (!delivers) return contents;
    contents.outbox.clear();
    std::erase_if(contents.mirror, [](const std::string& line) {
        return line.starts_with("edit ") || line.starts_with("word_index "); // how far the cleaning of the index is
    });
    return contents;
}

std::optional<std::string> compare(const char* file, const Content& expected, const Content& found)
{
    Story story;
    story.add(0, expected);
    const auto wrong = story.refute(0, found, true);
    return wrong ? std::optional(fmt::format("{}: {}", file, *wrong)) : std::nullopt;
}

/// The files of a phase, and what they hold when nobody killed it: made once.
struct Prepared {
    Stage stage;
    std::optional<Contents> undisturbed;
};

Prepared& prepared_for(const std::string& name, const Workload& workload, void (*more)(const Stage&))
{
    static std::map<std::string, Prepared> all;
    const auto [found, fresh] = all.try_emplace(name);
    if (fresh) workload.prepare(found->second.stage);
    if (fresh && more) more(found->second.stage);
    return found->second;
}

/// A phase that is a command over files.
class CommandCrash : public Crash {
  public:
    CommandCrash(const std::string& name, const Workload& workload, void (*more)(const Stage&),
                 std::vector<std::string> words)
        : words_(std::move(words)), prepared_(prepared_for(name, workload, more)),
          run_(prepared_.stage.directory(), url)
    {}

    int run(const std::optional<CrashPoint>& point) override { return execute(run_, run_.environment(point)).code; }

    std::optional<std::string> refute() override
    {
        pass_time(run_);
        const auto again = execute(run_, run_.plain_environment());
        if (again.code != 0) return fmt::format("run again it ends with {}: {}", again.code, again.errors);
        if (auto wrong = refute_more(run_)) return wrong;
        return refute_files();
    }

    std::vector<std::string> calls() const override { return run_.calls(); }

  protected:
    virtual std::optional<std::string> refute_more(const CrashRun&) const { return std::nullopt; }
    virtual bool delivers() const { return false; }
    virtual void pass_time(const CrashRun&) const {} // until it is run again
    virtual support::Finished execute(const CrashRun& run, const support::Process::Environment& environment) const
    {
        return run.run(words_in(run), environment);
    }

  private:
    std::vector<std::string> words_in(const CrashRun& run) const
    {
        std::vector<std::string> words = words_;
        for (std::string& word : words)
            if (word == "KEPT") word = run.directory() + "/kept";
        return words;
    }

    // Nothing of it may tell whether there was a kill.
    std::optional<std::string> refute_files()
    {
        const Stage& stage = prepared_.stage;
        if (!prepared_.undisturbed) prepared_.undisturbed = run_undisturbed();
        cache::Store store(stage.options_for(run_.directory()));
        cache::VerifyOptions alone;
        alone.alone = true;
        for (const cache::Finding& finding : sync_wait(cache::verify(store, alone)).findings)
            return fmt::format("{}: {}", finding.where, finding.what);
        const Contents found = load_contents(store, delivers());
        if (auto wrong = compare("mirror.db", prepared_.undisturbed->mirror, found.mirror)) return wrong;
        if (auto wrong = compare("outbox.db", prepared_.undisturbed->outbox, found.outbox)) return wrong;
        return stage.refute_promises(store, 0);
    }

    Contents run_undisturbed() const
    {
        const CrashRun whole(prepared_.stage.directory(), url);
        const auto done = execute(whole, whole.plain_environment());
        if (done.code != 0) throw std::runtime_error("the undisturbed run fails: " + done.errors);
        cache::Store store(prepared_.stage.options_for(whole.directory()));
        return load_contents(store, delivers());
    }

    std::vector<std::string> words_;
    Prepared& prepared_;
    CrashRun run_;
};

const Workload& workload(std::string_view name)
{
    for (const Workload& one : workloads())
        if (one.name == name) return one;
    throw std::logic_error("there is no such workload");
}

// --- backup: the finished ones are whole, and of others nothing is left

class BackupCrash final : public CommandCrash {
  public:
    BackupCrash() : CommandCrash("Backup", workload("Backup"), nullptr, {"backup", "KEPT"}) {}

  private:
    std::optional<std::string> refute_more(const CrashRun& run) const override
    {
        int backups = 0;
        for (const auto& entry : fs::directory_iterator(run.directory() + "/kept")) {
            ++backups;
            if (auto wrong = refute_one(entry.path())) return entry.path().filename().string() + ": " + *wrong;
        }
        for (const auto& entry : fs::directory_iterator(run.directory()))
            if (entry.path().filename().string().starts_with(".alli-mirror-backup"))
                return "half a backup is left beside the files";
        return backups > 0 ? std::nullopt : std::optional<std::string>("there is no backup");
    }

    // The next one is of the next night: what is younger may be on its way to another disk.
    void pass_time(const CrashRun& run) const override
    {
        for (const auto& entry : fs::directory_iterator(run.directory()))
            if (entry.path().filename().string().starts_with(".alli-mirror-backup"))
                fs::last_write_time(entry.path(), entry.last_write_time() - std::chrono::hours(24));
    }

    static std::optional<std::string> refute_one(const fs::path& directory)
    {
        cache::Reader mirror(directory / "mirror.db", cache::Access::read);
        cache::Reader outbox(directory / "outbox.db", cache::Access::read);
        for (cache::Reader* file : {&mirror, &outbox})
            if (const auto found = file->require<std::string>("PRAGMA integrity_check(1)"); found != "ok") return found;
        const auto held = mirror.require<std::int64_t>("SELECT count(*) FROM conversation");
        const auto writes = outbox.require<std::int64_t>("SELECT count(*) FROM entry WHERE state = 'conflict'");
        if (held == 12 && writes == 6) return std::nullopt;
        return fmt::format("it holds {} conversations of 12 and {} writes of 6", held, writes);
    }
};

// --- packing of texts that an older version left one by one: the daemon does it beside its other work

void migrate_first(const Stage& stage)
{
    cache::Store store(stage.options());
}

/// A phase of the daemon: it serves until it is done, or dead.
class DaemonCrash : public CommandCrash {
    using CommandCrash::CommandCrash;

  protected:
    virtual bool is_done(const CrashRun& run) const = 0;

  private:
    bool delivers() const override { return true; }
    support::Finished execute(const CrashRun& run, const support::Process::Environment& environment) const override
    {
        support::Process process(program({"serve"}), environment);
        try {
            process.wait_for_line("listens on"); // before that it knows no orderly end
        } catch (const std::runtime_error&) {
            // It was killed on the way there, or says why it ended.
        }
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!has_ended(process) && !is_done(run) && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(5)); // and leaves the processor to it
        process.send(SIGTERM);
        support::Finished finished;
        finished.code = process.wait();
        finished.errors = process.errors();
        return finished;
    }

    std::optional<std::string> refute_more(const CrashRun& run) const override
    {
        return is_done(run) ? std::nullopt : std::optional<std::string>("it does not come to an end");
    }
};

class PackingCrash final : public DaemonCrash {
  public:
    PackingCrash() : DaemonCrash("Packing", workload("Migration"), &migrate_first, {}) {}

  private:
    bool is_done(const CrashRun& run) const override
    {
        cache::Reader db(run.directory() + "/mirror.db", cache::Access::read);
        return !cache::find_meta<std::int64_t>(db, "packing_from");
    }
};

class MirrorMadeAnewCrash final : public DaemonCrash {
  public:
    MirrorMadeAnewCrash() : DaemonCrash("MirrorMadeAnew", workload("MirrorMadeAnew"), nullptr, {}) {}

  private:
    bool is_done(const CrashRun& run) const override { return fs::exists(run.directory() + "/mirror.db"); }
};

// --- the table

void lose_index(const Stage& stage)
{
    cache::Writer db(stage.mirror_path());
    cache::rebuild_index(db);
    db.checkpoint(cache::Writer::Checkpoint::truncate);
}

using Made = std::unique_ptr<Crash>;

Made make_command(const char* name, std::vector<std::string> words)
{
    return std::make_unique<CommandCrash>(name, workload(name), nullptr, std::move(words));
}

Made make_index_rebuild()
{
    return std::make_unique<CommandCrash>("IndexRebuild", workload("Verify"), &lose_index,
                                          std::vector<std::string>{"verify", "--repair"});
}

constexpr std::array all{
    CrashPhase{"Migration", [] { return make_command("Migration", {"verify"}); }},
    CrashPhase{"Salvage", [] { return make_command("Salvage", {"verify"}); }},
    CrashPhase{"MirrorMadeAnew", []() -> Made { return std::make_unique<MirrorMadeAnewCrash>(); }},
    CrashPhase{"Purge",
               [] {
                   return make_command("Purge", {"purge", "--user", "gone", "--yes"});
               }},
    CrashPhase{"Backup", []() -> Made { return std::make_unique<BackupCrash>(); }},
    CrashPhase{"IndexRebuild", &make_index_rebuild},
    CrashPhase{"Packing", []() -> Made { return std::make_unique<PackingCrash>(); }},
    CrashPhase{"Delivery", &make_delivery},
    CrashPhase{"Drain", &make_drain},
};

} // namespace

std::span<const CrashPhase> crash_phases()
{
    return all;
}

} // namespace alli::powercut
