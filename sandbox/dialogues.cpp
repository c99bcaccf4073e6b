// SPDX-License-Identifier: Apache-2.0
#include "sandbox/dialogues.hpp"

#include "sandbox/phrases.hpp"

#include <algorithm>

namespace alli::sandbox {
namespace {

std::string_view one_of(Random& random, Texts choices)
{
    return choices[random.below(choices.size())];
}

std::string word(Random& random, const Language& language, std::string_view name)
{
    if (name == "n") return std::to_string(random.below(8) + 2);
    const auto found = std::find_if(language.words.begin(), language.words.end(),
                                    [&](const Words& words) { return words.name == name; });
    return found == language.words.end() ? std::string{name} : std::string{one_of(random, found->choices)};
}

// `phrase` with a word in the place of each {name}.
std::string spoken(Random& random, const Language& language, std::string_view phrase)
{
    std::string out;
    while (!phrase.empty()) {
        const auto open = phrase.find('{');
        out += phrase.substr(0, open);
        if (open == std::string_view::npos) break;
        const auto close = phrase.find('}', open);
        out += word(random, language, phrase.substr(open + 1, close - open - 1));
        phrase.remove_prefix(close + 1);
    }
    return out;
}

// One phrase, now and then two, as people speak.
std::string line(Random& random, const Language& language, Texts phrases)
{
    std::string out = spoken(random, language, one_of(random, phrases));
    if (random.below(3) == 0) out += ' ' + spoken(random, language, one_of(random, phrases));
    return out;
}

} // namespace

Dialogue make_dialogue(Random& random, std::size_t number, std::size_t turns)
{
    const Language& language = languages[number % languages.size()];
    const Topic& topic = language.topics[random.below(language.topics.size())];
    Dialogue dialogue{.lang = std::string{language.code}, .topic = std::string{topic.name}};
    if (random.below(8) != 0) dialogue.title = spoken(random, language, one_of(random, topic.titles));
    for (std::size_t i = 0; i < turns; ++i) {
        const bool asks = i % 2 == 0;
        Turn turn{asks ? "USER" : "BOT", line(random, language, asks ? topic.questions : topic.answers), std::nullopt};
        if (!asks && random.below(7) == 0) turn.rating = random.below(3) != 0;
        dialogue.turns.push_back(std::move(turn));
    }
    return dialogue;
}

std::string make_line(Random& random, const std::string& sender, std::size_t number)
{
    const Language& language = languages[number % languages.size()];
    const Topic& topic = language.topics[random.below(language.topics.size())];
    return line(random, language, sender == "USER" ? topic.questions : topic.answers);
}

} // namespace alli::sandbox
