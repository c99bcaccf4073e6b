// SPDX-License-Identifier: Apache-2.0
// A chat that is JSON and of the types that the contract says, as nearly all are: parsed, with its words. Pure.
#pragma once

#include "cache/text/words.hpp"

#include <simdjson.h>

#include <optional>

namespace alli::cache {

struct PlainChat {
    simdjson::dom::element chat; // an object; of this thread, until the next one is read
    ChatWords words;
    std::string message; // as a person reads it
};
/// None: it is read by following its structure (words_of_chat).
std::optional<PlainChat> read_plain_chat(std::string_view raw_chat);

} // namespace alli::cache
