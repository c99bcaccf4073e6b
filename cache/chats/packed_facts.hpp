// SPDX-License-Identifier: Apache-2.0
// The facts of a chat as its row keeps them: a bit each, and above them the length of the message. Schema step 0020 and
// the statements that look for a bit have the same numbers. Pure.
#pragma once

#include "cache/text/facts.hpp"

namespace alli::cache {

namespace fact {
inline constexpr std::int64_t answer = 1, bad = 2, good = 4, agent_bad = 8, agent_good = 16, feedback = 32,
                              citations = 64, steps = 128;
inline constexpr int length_shift = 8;
} // namespace fact

inline std::int64_t pack_facts(std::string_view sender, const ChatFacts& facts) noexcept
{
    const auto rated = [](const std::optional<bool>& rating, std::int64_t bad, std::int64_t good) {
        if (!rating) return std::int64_t{0};
        return *rating ? good : bad;
    };
    return (answers(sender) ? fact::answer : 0) | rated(facts.rating, fact::bad, fact::good) |
           rated(facts.agent_rating, fact::agent_bad, fact::agent_good) | (facts.feedback ? fact::feedback : 0) |
           (facts.citations ? fact::citations : 0) | (facts.steps ? fact::steps : 0) |
           facts.length << fact::length_shift;
}

inline std::optional<bool> rating_in(std::int64_t facts) noexcept
{
    if ((facts & (fact::bad | fact::good)) == 0) return std::nullopt;
    return (facts & fact::good) != 0;
}

inline std::optional<bool> agent_rating_in(std::int64_t facts) noexcept
{
    if ((facts & (fact::agent_bad | fact::agent_good)) == 0) return std::nullopt;
    return (facts & fact::agent_good) != 0;
}

inline std::int64_t length_in(std::int64_t facts) noexcept
{
    return facts >> fact::length_shift;
}

} // namespace alli::cache
