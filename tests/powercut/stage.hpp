// SPDX-License-Identifier: Apache-2.0
// A workload's store in a directory of its own, everything on one thread: each commit comes into the story of its
// file, with the calls that the disk saw until it was acknowledged.
#pragma once

#include "alli/sync_wait.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/store.hpp"
#include "tests/powercut/story.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/recording_vfs.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/sync/model.hpp"

#include <functional>
#include <memory>

namespace alli::powercut {

inline constexpr auto url = "http://127.0.0.1:9"; // nobody is there

class Stage {
  public:
    Stage();

    // Before the recording: files as they are to be found.
    std::string mirror_path() const { return directory() + "/mirror.db"; }
    std::string outbox_path() const { return directory() + "/outbox.db"; }
    std::string directory() const { return dir_ / "run"; }
    cache::StoreOptions options() const { return options_for(directory()); }
    cache::StoreOptions options_for(const std::string& directory) const;
    cache::LogLimits log_limits; // of the logs

    void begin_from(const Stage& prepared); // with its files

    /// From now on the disk is looked at.
    void record();
    void open();
    void close() { store_.reset(); }

    cache::Store& store() { return *store_; }
    template <class F>
    void write(F function)
    {
        attempt([&] { sync_wait(store_->write(std::move(function))); });
    }
    template <class F>
    void write_outbox(F function)
    {
        attempt([&] { sync_wait(store_->write_outbox(std::move(function))); });
        look();
    }
    /// A write of an application; its number, or 0 where it was refused. Once accepted it is promised.
    std::int64_t accept(const std::string& conversation, std::size_t bytes = 100);
    /// One pass of the engine over the model.
    void pass();
    /// Both files, when something was committed.
    void look();

    /// Something that holds from now on, in every directory that a cut leaves; a sentence when it does not.
    using Claim = std::function<std::optional<std::string>(const std::string& directory, cache::Store& store)>;
    void claim(Claim claim) { claims.push_back({calls(), std::move(claim)}); }
    struct Claimed {
        std::size_t calls;
        Claim holds;
    };

    std::size_t calls() const { return vfs_ ? vfs_->log().size() : 0; }
    support::RecordingVfs& vfs() { return *vfs_; }
    void stop_recording();
    /// A sentence where a write is missing that was acknowledged within the first `calls` calls.
    std::optional<std::string> refute_promises(cache::Store& store, std::size_t calls) const;
    /// A sentence where a time is claimed in which a conversation of the model is not whole.
    std::optional<std::string> refute_coverage(cache::Store& store) const;

    sync::Model model;
    support::FakeClock clock;
    Story mirror, outbox;
    std::vector<Claimed> claims;
    std::vector<support::LoggedCall> log; // after stop_recording()
    support::DiskModel disk;              // as it was at the beginning
    int gave_up = 0;
    bool goes_on = false; // after a step that failed: with the next, and nothing comes into the story
    int refused = 0;      // steps that failed
    struct Promise {
        std::string key;
        std::size_t calls = 0; // that were logged before it was acknowledged
    };
    std::map<std::int64_t, Promise> promised; // by number: writes that must be there
    std::string broken;                       // a claim of coverage that was not true when it was committed

  private:
    template <class F>
    void attempt(F step)
    {
        try {
            step();
        } catch (const Error&) {
            if (!goes_on) throw;
            ++refused;
        }
    }
    void note_beginning();
    void run_engine();

    support::TempDir dir_;
    SeededRandom random_{7};
    std::unique_ptr<support::RecordingVfs> vfs_;
    std::unique_ptr<cache::Store> store_;
    int accepted_ = 0;
};

} // namespace alli::powercut
