// SPDX-License-Identifier: Apache-2.0
#include "sandbox/seeding.hpp"

#include "sandbox/decoration.hpp"
#include "sandbox/dialogues.hpp"

#include <algorithm>

namespace alli::sandbox {
namespace {

using std::chrono::microseconds;

constexpr std::size_t own_conversations = 200;
constexpr microseconds oldest = std::chrono::days{400};

// Rare lengths at fixed numbers, so that every sandbox of some size has them: none at all, and more than two pages.
std::size_t own_length(Random& random, std::size_t number)
{
    if (number % 97 == 41) return 0;
    if (number % 61 == 17) return 100 + random.below(160);
    return 1 + random.below(24);
}

// Denser towards now; a few of seconds' resolution share theirs with the one before.
Instant last_time(World& world, Instant base, std::size_t number, Instant before)
{
    const bool ties = world.scale().style() == TimeStyle::seconds && number % 23 == 5;
    if (ties) return before;
    const double age = world.random().unit();
    const auto back = microseconds{static_cast<std::int64_t>(age * age * static_cast<double>(oldest.count()))};
    return world.scale().cut(base - std::chrono::seconds{30} - back);
}

microseconds gap(World& world, std::uint64_t most_seconds)
{
    const auto pause = microseconds{static_cast<std::int64_t>(world.random().below(most_seconds * 1'000'000))};
    return std::max(pause - pause % world.scale().step(), world.scale().step());
}

std::unique_ptr<Conversation> make_conversation(World& world, const Dialogue& dialogue, Instant last)
{
    std::vector<Instant> times(dialogue.turns.size());
    for (std::size_t i = times.size(); i-- > 0; last -= gap(world, 90)) times[i] = last;

    auto made = std::make_unique<Conversation>();
    made->id = world.new_id("Conversation");
    made->title = dialogue.title;
    made->created = times.empty() ? last : times.front() - (gap(world, 3) - world.scale().step());
    decorate(world, *made, dialogue.topic);
    std::size_t bytes = 0;
    for (const Turn& turn : dialogue.turns) bytes += turn.text.size() + 230;
    made->chats.reserve(times.size());
    made->chats_json.reserve(bytes);
    for (std::size_t i = 0; i < times.size(); ++i)
        world.write_chat(*made, decorated(world.random(), dialogue.lang, dialogue.turns[i]), times[i]);
    return made;
}

} // namespace

void populate(World& world, const Options& options)
{
    add_users_and_apps(world);
    const Instant base = world.now();
    const auto corpus = options.corpus.empty() ? std::vector<Dialogue>{} : read_corpus(options.corpus);
    auto wanted = static_cast<std::size_t>(std::max(options.conversations, 0));
    if (wanted == 0) wanted = corpus.empty() ? own_conversations : corpus.size();

    std::vector<std::unique_ptr<Conversation>> made;
    made.reserve(wanted);
    Instant last = base;
    for (std::size_t i = 0; i < wanted; ++i) {
        last = last_time(world, base, i, last);
        if (corpus.empty()) {
            const auto length = own_length(world.random(), i);
            made.push_back(make_conversation(world, make_dialogue(world.random(), i, length), last));
        } else {
            const Dialogue& dialogue = corpus[i % corpus.size()];
            const Instant at = dialogue.age ? world.scale().cut(base - *dialogue.age) : last;
            made.push_back(make_conversation(world, dialogue, at));
        }
    }
    world.add(std::move(made));
}

Conversation& begin_conversation(World& world, int chats)
{
    auto made = std::make_unique<Conversation>();
    made->id = world.new_id("Conversation");
    made->created = world.now();
    const std::size_t number = world.by_created().size();
    const auto length = static_cast<std::size_t>(std::max(chats, 0));
    const Dialogue dialogue = make_dialogue(world.random(), number, length);
    made->title = dialogue.title;
    decorate(world, *made, dialogue.topic);
    made->is_end = false;
    made->state = "OPEN";
    for (const Turn& turn : dialogue.turns)
        world.write_chat(*made, decorated(world.random(), dialogue.lang, turn), world.next_chat_time(*made));
    return world.add(std::move(made));
}

} // namespace alli::sandbox
