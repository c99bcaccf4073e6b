// SPDX-License-Identifier: Apache-2.0
// The index of words, read from one end to the other. For verify.cpp alone.
#pragma once

#include "cache/db/writer.hpp"
#include "cache/upkeep/finding.hpp"

namespace alli::cache {

/// One of its tables, some terms at a time.
class WordsCheck {
  public:
    explicit WordsCheck(std::string table) : table_(std::move(table)) {}

    const std::string& table() const noexcept { return table_; }
    bool step(Reader& db);   // false: that was the end
    void finish(bool still); // still: nothing was written since the first step, so that sums may be compared
    /// FTS5's own check, which holds the writer for seconds a million messages.
    void check_structure(Writer& db);
    const std::vector<Finding>& findings() const noexcept { return findings_; }

  private:
    void note(std::string what) { findings_.push_back({"words", std::move(what), Repair::rebuild_index}); }
    bool read_some(Reader& db);
    void count(Reader& db);

    std::string table_, after_;
    bool begun_ = false;
    std::int64_t found_ = 0, said_ = 0; // places of terms
    std::vector<Finding> findings_;
};

/// One for each table.
std::vector<WordsCheck> words_checks();

} // namespace alli::cache
