// SPDX-License-Identifier: Apache-2.0
// Whether a database file and its log are still those that bear their names, and as long as they were left: a clean-up
// job, a restore or a copy over them takes away what a commit was promised to keep. Looks by stat alone: closing
// another descriptor of the file would drop SQLite's locks.
#pragma once

#include "alli/error.hpp"
#include "cache/db/file_identity.hpp"
#include "cache/db/writer.hpp"

#include <exception>
#include <optional>
#include <string>

namespace alli::cache {

/// Why nothing is acknowledged any more: a file of ours is not the one at its path.
class Displaced : public Error {
  public:
    explicit Displaced(const std::string& sentence);
};
bool is_displaced(const std::exception_ptr& failure);

/// Of one connection, used on its thread.
class HeldFile {
  public:
    /// `db` has just opened its file. Throws Displaced when the path names another one already.
    explicit HeldFile(Writer& db);

    struct Loss {
        std::string what;       // one sentence
        bool altered = false;   // the file itself was changed: not all that is read from it now need be ours
        bool elsewhere = false; // both are as they were: it is something beside them
    };
    /// None: both are in their places and whole. Two calls of stat.
    std::optional<Loss> find_loss();
    /// The connection may have changed the file by itself: a checkpoint, or text overwritten. What it is now is
    /// remembered, if it is still in its place.
    void note_own_change();

  private:
    struct Look {
        FileIdentity place;
        std::int64_t size = 0, modified_ns = 0;
    };
    static std::optional<Look> look_at(const std::string& path);
    std::optional<Loss> find_file_loss();
    std::optional<Loss> find_log_loss();
    void remember(const Look& now);
    std::int64_t least_log_bytes() const;

    Writer& db_;
    std::string name_, log_path_;
    Look file_;
    std::string header_;
    std::optional<FileIdentity> log_; // none: there was no log yet
};

} // namespace alli::cache
