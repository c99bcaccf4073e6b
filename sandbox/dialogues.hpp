// SPDX-License-Identifier: Apache-2.0
// What people and apps say to each other: made up from tables of phrases, or read from a corpus. Pure functions.
#pragma once

#include "alli/random.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace alli::sandbox {

struct Turn {
    std::string sender, text;
    std::optional<bool> rating;
};

struct Dialogue {
    std::string lang;  // en, ko, ja
    std::string topic; // empty: of a corpus
    std::optional<std::string> title = {};
    std::vector<Turn> turns = {};
    std::optional<std::chrono::seconds> age = {}; // of its last turn; none: any
};

/// A dialogue of `turns` turns in one of the three languages, by turns.
Dialogue make_dialogue(Random& random, std::size_t number, std::size_t turns);

/// One message of an app in that language, for chats that come later.
std::string make_line(Random& random, const std::string& sender, std::size_t number);

/// All dialogues of a JSONL file, plain or gzip. Throws Error{settings} that names the file and the line.
std::vector<Dialogue> read_corpus(const std::string& path);

} // namespace alli::sandbox
