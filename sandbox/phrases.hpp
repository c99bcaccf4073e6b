// SPDX-License-Identifier: Apache-2.0
// The tables of words and sentences that dialogues are made of. {name} stands for one of the words of that name, {n}
// for a small number.
#pragma once

#include <span>
#include <string_view>

namespace alli::sandbox {

using Texts = std::span<const std::string_view>;

struct Words {
    std::string_view name;
    Texts choices;
};

struct Topic {
    std::string_view name;
    Texts titles, questions, answers;
};

struct Language {
    std::string_view code;
    std::span<const Words> words;
    std::span<const Topic> topics;
};

extern const std::span<const Language> languages;

} // namespace alli::sandbox
