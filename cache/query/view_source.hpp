// SPDX-License-Identifier: Apache-2.0
// Where the views of a query read the mirror: a piece at a time, in snapshots that are given up after two seconds, so
// that a long query does not hold up the daemon's log. A short one so sees one state of the mirror. One thread.
#pragma once

#include "alli/clock.hpp"
#include "cache/export/views.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace alli::cache {

/// Chats of a conversation, [from, to).
struct ChatRange {
    Keyed conversation;
    std::int64_t from = 0, to = 0;
};

class ViewSource {
  public:
    /// `check` is called before each piece, and throws to end the query.
    ViewSource(std::unique_ptr<Reader> mirror, std::function<void()> check);

    /// For one piece; no statement of it stays open.
    Reader& read();
    /// Between two pieces: gives up a snapshot that has become old, or any.
    void release_old();
    void release();

    /// Where the chats of that id are, or were. The first call looks through all texts.
    std::vector<ChatRange> find_chats(std::string_view chat_id);

    /// What was thrown on the way through SQLite, which knows codes alone.
    std::exception_ptr failure;

  private:
    void index_chats();

    std::unique_ptr<Reader> mirror_;
    std::function<void()> check_;
    SystemClock clock_;
    bool open_ = false;
    Clock::Steady since_{};
    bool indexed_ = false;
    std::vector<std::pair<std::uint64_t, std::int64_t>> chats_; // hash of an id, key of its text; in order
};

/// The chats of a range, at most a piece of them; `range.from` moves behind them, and to its end behind the last.
/// Without texts they have no ids either.
std::vector<ViewChat> load_piece(Reader& db, ChatRange& range, bool texts);

} // namespace alli::cache
