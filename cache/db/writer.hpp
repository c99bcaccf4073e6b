// SPDX-License-Identifier: Apache-2.0
// The connection that writes a file, always inside a transaction: it collects what the transaction changes in the
// search index, the totals and the cached answers, and writes the first two with the commit. For the committing thread.
#pragma once

#include "cache/db/change_set.hpp"
#include "cache/db/row_changes.hpp"
#include "cache/db/sqlite.hpp"

#include <memory>
#include <span>

namespace alli::cache {

struct PagePart { // bytes
    std::size_t from = 0, size = 0;
};
using FindPart = PagePart (*)(std::span<const unsigned char> page, std::int64_t number);

class IndexBatch; // cache/db/index_batch.hpp

/// What a write gets: inside a transaction that the store commits when the function returns and rolls back when it
/// throws. The rest is for the store's committing thread alone.
class Writer : public Connection {
  public:
    explicit Writer(const std::string& path, std::string_view synchronous = "NORMAL");
    ~Writer();

    /// What this transaction changes in the index of words, where it is not written yet. Whoever reads the index on
    /// this connection flushes it before.
    IndexBatch& words() noexcept { return *words_; }

    bool in_transaction() const noexcept; // a full disk may have ended it
    void commit();                        // with the words and the totals
    void roll_back() noexcept;            // whatever is open; nothing when nothing is

    enum class Checkpoint { passive, restart, truncate };
    /// False: readers were in the way of `restart` or `truncate` for as long as `wait`. A passive one waits for none.
    bool checkpoint(Checkpoint how, std::chrono::milliseconds wait = busy_wait) noexcept;
    int pages_in_log() const noexcept { return in_log_; } // as the last checkpoint found it, and how far it came
    int pages_checkpointed() const noexcept { return checkpointed_; }
    /// Overwrites with zeros the part of each page that `find` names, in the file itself, past the log: for bytes that
    /// belong to no row. For right after a truncating checkpoint. Where to go on; none: that was the end.
    std::optional<std::int64_t> overwrite(std::int64_t first, std::int64_t count, FindPart find);
    int log_pages() const noexcept { return log_pages_; } // since the last checkpoint, as of the last commit

    ChangeSet& change_set() noexcept { return change_set_; }    // since whoever commits cleared it
    RowChanges& row_changes() noexcept { return row_changes_; } // of the transaction; commit() writes them

  private:
    void write_row_changes(); // into the totals

    int log_pages_ = 0, in_log_ = 0, checkpointed_ = 0;
    ChangeSet change_set_;
    RowChanges row_changes_;
    std::unique_ptr<IndexBatch> words_;
};

/// For whoever owns the connection and is in none yet: while opening, above all.
template <class F>
void in_transaction(Writer& db, F work)
{
    db.script("BEGIN IMMEDIATE");
    try {
        work();
        db.commit();
    } catch (...) {
        db.roll_back();
        throw;
    }
}

/// All of the log into the file, for whoever removes the log then. Throws Error: disk_full, busy, io.
void empty_log(Writer& db);

} // namespace alli::cache
