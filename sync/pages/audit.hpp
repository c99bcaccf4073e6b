// SPDX-License-Identifier: Apache-2.0
// What a comparison with upstream finds: which fields of a conversation differ though its last chat time does not.
// Used inside the write that puts the conversation.
#pragma once

#include "alli/conversation.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/drift.hpp"

#include <set>
#include <string>

namespace alli::sync {

class Audit {
  public:
    /// Before it is put, where something is held of it.
    void look_at(cache::Reader& db, const cache::Held& held, const Conversation& theirs);
    void end_look(bool chats_differ); // after

    const cache::Drift& found() const noexcept { return found_; }

  private:
    cache::Drift found_;
    std::set<std::string> differing_;
    bool counts_ = false; // ours was from the same last chat, and complete
};

/// The top-level fields in which two JSON objects differ.
std::set<std::string> differing_fields(const std::string& ours, const std::string& theirs);

} // namespace alli::sync
