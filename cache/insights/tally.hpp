// SPDX-License-Identifier: Apache-2.0
// What figures are made of: counts, and how long answers were and took. Adds up. Pure.
#pragma once

#include "cache/chats/packed_facts.hpp"
#include "cache/insights/counted_chats.hpp"
#include "cache/insights/histogram.hpp"
#include "cache/insights/insight_types.hpp"

namespace alli::cache {

inline bool is_answer(const CountedChat& chat) noexcept
{
    return (chat.facts & fact::answer) != 0;
}

struct Tally {
    Figures figures;          // without the medians
    Histogram lengths, waits; // of answers: characters; milliseconds

    void add(const CountedChat& chat)
    {
        ++figures.messages;
        const auto rating = rating_in(chat.facts);
        if (rating) ++(*rating ? figures.good : figures.bad);
        if (!is_answer(chat)) return;
        if (!rating) ++figures.unrated;
        if ((chat.facts & fact::citations) == 0) ++figures.without_citations;
        lengths.add(static_cast<double>(length_in(chat.facts)));
        if (chat.has_question && chat.asked_at && chat.sent_at && *chat.sent_at >= *chat.asked_at)
            waits.add(std::chrono::duration<double, std::milli>(*chat.sent_at - *chat.asked_at).count());
    }

    Figures finish() const
    {
        Figures done = figures;
        done.median_length = lengths.median();
        if (const auto wait = waits.median()) done.median_answer_seconds = *wait / 1000;
        return done;
    }
};

} // namespace alli::cache
