// SPDX-License-Identifier: Apache-2.0
// A question put to the index: which chats and which conversations it is answered by. Used within one read, on its
// thread; what is returned must not outlive it, nor the question.
#pragma once

#include "cache/match.hpp"
#include "cache/matches.hpp"

namespace alli::cache {

/// Of chats by their pk. Streams that live at one time on a connection get a `lane` each.
MatchesPtr matching_chats(Reader& db, const Question& question, int lane = 0);

/// Of conversations by their pk: title, user and memo. Null where none can be meant: a sender is asked for, or no word.
MatchesPtr matching_conversations(Reader& db, const Question& question, int lane = 0);

/// What their words are worth: an expression that all of them match, or nearly all. Empty: none has a worth.
std::string worth_of_chats(const Question& question);
std::string worth_of_conversations(const Question& question);

} // namespace alli::cache
