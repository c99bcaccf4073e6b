// SPDX-License-Identifier: Apache-2.0
// A file that grows by whole pieces: a note beside it (FILE.state) says how long it was and what was written, and is
// changed only when a piece is on the disk. What a killed run left behind it is cut off by the next. One thread.
#pragma once

#include "cache/export/export_tables.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::daemon {

/// The note.
struct AppendState {
    cache::ExportState made;
    std::int64_t bytes = 0;
    bool appending = false; // a piece was begun: what is beyond `bytes` is part of it
};
/// None: there is no note. Throws Error{io} for one that cannot be read.
std::optional<AppendState> find_append_state(const std::string& file);
void put_append_state(const std::string& file, const AppendState& state);

class AppendedFile {
  public:
    /// Behind what the note tells of; a file that was moved away is begun anew. Throws Error{io}, also where somebody
    /// else wrote to it.
    AppendedFile(const std::string& path, const AppendState& state);
    ~AppendedFile();
    AppendedFile(const AppendedFile&) = delete;
    AppendedFile& operator=(const AppendedFile&) = delete;

    std::int64_t size() const noexcept { return size_; }
    void write(std::string_view text);
    void finish(); // to disk

  private:
    void begin(const AppendState& state);
    [[noreturn]] void fail() const;

    std::string path_;
    int file_;
    std::int64_t size_ = 0;
};

} // namespace alli::daemon
