// SPDX-License-Identifier: Apache-2.0
// What benches of a filled mirror have in common: texts to fill it with, and the processor time that was used.
#pragma once

#include "alli/random.hpp"
#include "sandbox/dialogues.hpp"

#include <ctime>
#include <string>
#include <vector>

namespace bench {

/// The messages of a corpus of dialogues; of 5,000 made from `seed` where none is named.
inline std::vector<std::string> load_texts(const std::string& corpus, unsigned seed)
{
    std::vector<alli::sandbox::Dialogue> dialogues;
    if (!corpus.empty()) {
        dialogues = alli::sandbox::read_corpus(corpus);
    } else {
        alli::SeededRandom random(seed);
        for (std::size_t n = 0; n < 5000; ++n) dialogues.push_back(alli::sandbox::make_dialogue(random, n, 10));
    }
    std::vector<std::string> texts;
    for (const auto& dialogue : dialogues)
        for (const auto& turn : dialogue.turns) texts.push_back(turn.text);
    return texts;
}

/// Of the whole process.
inline double cpu_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

} // namespace bench
