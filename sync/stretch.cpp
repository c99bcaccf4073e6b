// SPDX-License-Identifier: Apache-2.0
#include "sync/stretch.hpp"

#include "sync/unlisted.hpp"

namespace alli::sync {
namespace {

using std::chrono::microseconds;

// What was passed by was not listed: nobody is absent there.
bool is_readable(const std::vector<Unreadable>& passed_by, const cache::Span& part)
{
    return std::none_of(passed_by.begin(), passed_by.end(), [&](const Unreadable& it) {
        return it.span.from < part.through && part.from < it.span.through;
    });
}

} // namespace

// Everything above the page's oldest is here now; of that very time some may still be missing.
void Stretch::take(const Step& step)
{
    std::erase_if(seen_, [this](const auto& it) { return it.second >= span_.through; });
    std::erase_if(passed_by_, [this](const Unreadable& it) { return it.span.from >= span_.through; });
    passed_by_.insert(passed_by_.end(), step.unreadable.begin(), step.unreadable.end());
    for (const Conversation& conversation : step.conversations)
        seen_[conversation.id] =
            conversation.last_chat_guessed ? Instant::min() : conversation.last_chat_at.value_or(Instant::min());
    Instant from = span_.from;
    if (!step.last) from = step.reached ? std::max(*step.reached + microseconds(1), span_.from) : span_.through;
    // The very time below which it goes on was passed by too: one problem, not two that meet there.
    for (const Unreadable& it : step.unreadable) from = std::min(from, std::max(it.span.from, span_.from));
    part_ = {std::min(from, span_.through), span_.through};
    span_.through = part_.from;
}

std::vector<ConversationId> Stretch::absent() const
{
    auto held = tools_.store.read([&](cache::Reader& db) { return cache::ids_within(db, part_); });
    std::erase_if(held, [&](const ConversationId& id) { return seen_.contains(id); });
    return held;
}

Task<> Stretch::compare(const Step& step, std::function<void(const Ingested&)> report)
{
    take(step);
    if (!is_readable(passed_by_, part_)) co_return;
    auto missing = absent();
    co_await confirm_absent(tools_, std::move(missing), deletions_, report);
}

void Stretch::certify(cache::Writer& db, const Step& step)
{
    const auto known = open_ ? cache::load_windows(db, part_) : take_unlisted(db, part_);
    note_unreadable(db, passed_by_, part_.through, tools_.clock.now(), known);
    if (!open_) cache::cover(db, {part_.from, part_.through, step.sent_at}, tools_.together);
}

bool Edges::is_at(const Step& step)
{
    if (step.conversations.empty() || !step.reached || step.reached == std::exchange(reached_, step.reached))
        return false;
    return *step.reached + microseconds(1) < through_;
}

Task<> walk_stretch(Tools tools, Stretch& stretch, Walk& walk, How how, Save save, Duties duties)
{
    duties.compare = [&stretch, report = duties.report](const Step& step) { return stretch.compare(step, report); };
    Save certify = [&stretch, save](cache::Writer& db, const Step& step) {
        stretch.certify(db, step);
        if (save) save(db, step);
    };
    co_await go_down(tools, walk, how, certify, duties);
}

} // namespace alli::sync
