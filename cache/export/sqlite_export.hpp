// SPDX-License-Identifier: Apache-2.0
// An export as a plain SQLite file, for other programs: the tables v_conversation, v_chat and v_citation, and over them
// the views v_feedback and v_daily (docs/operations.md has the columns). A conversation is written in a transaction,
// read in pieces; the file appears under its name when it is whole. One thread.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <memory>
#include <string>

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
    void finish(); // to disk, then to its name

  private:
    void put_chats(Reader& db, const ConversationId& id);

    std::string path_, part_;
    bool mask_;
    std::unique_ptr<Connection> file_;
};

} // namespace alli::cache
