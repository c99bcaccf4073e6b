// SPDX-License-Identifier: Apache-2.0
// A chat that is JSON and of the types that the contract says, as nearly all are: parsed once, for its words
// (words.cpp) and its facts (facts.cpp).
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace alli::cache {

struct ChatWords;

/// Fills in the chat, an object that lasts on this thread until the next one is read, its words, and its message as a
/// person reads it. False: it is none, and is read by following its structure (words_of_chat).
bool read_plain_chat(std::string_view raw_chat, simdjson::dom::element& chat, ChatWords& words, std::string& message);

} // namespace alli::cache
