// SPDX-License-Identifier: Apache-2.0
// An export as a plain SQLite file, for other programs (docs/sql.md): made anew, when it appears under its name once it
// is whole, or brought up to date in its place, in one transaction. A conversation is read in one snapshot, in pieces.
// One thread.
#pragma once

#include "cache/export/export_tables.hpp"

#include <memory>

namespace alli::cache {

class SqliteExport {
  public:
    /// Throws Error: io, where something else than a file is there or nothing can be written; disk_full.
    explicit SqliteExport(std::string path, bool mask = false);
    ~SqliteExport(); // without finish(): nothing is left of it
    SqliteExport(const SqliteExport&) = delete;
    SqliteExport& operator=(const SqliteExport&) = delete;

    /// False: it is gone since it was listed.
    bool put(Reader& db, const ConversationId& id);
    void finish(const ExportState& state); // to disk, then to its name
    /// The file takes the place of one that others read: they may read it as they did.
    void take_over_permissions();

  private:
    std::string path_, part_;
    bool mask_;
    std::unique_ptr<Connection> file_;
};

/// Other programs may have the file open meanwhile: they see it as it was before, or as it is after. One that reads on
/// and on makes the end fail with Error{busy}, and nothing has changed.
class SqliteUpdate {
  public:
    /// None in `state()`: the file is no export, or of another version: it must be made anew.
    explicit SqliteUpdate(std::string path, bool mask = false);

    const std::optional<ExportState>& state() const noexcept { return state_; }
    void begin();
    /// False: it is gone, and its rows are too.
    bool put(Reader& db, const ConversationId& id);
    bool remove(const ConversationId& id);
    void finish(const ExportState& state); // without it nothing has changed

  private:
    template <class F>
    auto named(F work);

    std::string path_;
    bool mask_;
    std::unique_ptr<Connection> file_;
    std::optional<ExportState> state_;
};

} // namespace alli::cache
