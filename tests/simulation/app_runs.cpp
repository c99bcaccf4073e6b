// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/app_runs.hpp"

#include "cache/conversations.hpp"

namespace simulation {

using namespace alli;

void AppRuns::follow(cache::Store& store, sync::Engine& engine)
{
    store_ = &store;
    engine_ = &engine;
    run_.reset();
    engine.on_fetched(
        [this](const ConversationId& id, std::uint64_t fence, bool whole) { fetched(id.value, fence, whole); });
}

void AppRuns::begin()
{
    Run run;
    run.conversation = world_.any();
    if (run.conversation.empty() || run.conversation == world_.ill) return;
    const ConversationId id{run.conversation};
    const auto held = store_->read([&](cache::Reader& db) { return cache::find_held(db, id); });
    if (held) run.chats_before = std::max<std::int64_t>(held->chats - (held->last_completed ? 0 : 1), 0);
    run.chat = world_.begin_run(run.conversation);
    run_ = std::move(run);
}

void AppRuns::act()
{
    if (!run_) return begin();
    if (!world_.talks.contains(run_->conversation)) return run_.reset(); // it was deleted meanwhile
    if (!run_->message.empty()) {                                        // it has ended: another one
        if (random_.below(3) == 0) run_.reset();
        return;
    }
    const bool ends = random_.below(3) == 0;
    const auto message = world_.grow_run(run_->conversation, run_->chat, ends);
    if (!message) return run_.reset(); // its chat was removed
    if (!ends) return;
    run_->message = *message;
    run_->fence = ++fences_;
    engine_->settle({run_->conversation}, run_->fence, run_->chats_before);
}

std::optional<json> AppRuns::find_held(const Run& run)
{
    const ConversationId id{run.conversation};
    for (int page = 1; page < 100; ++page) {
        const auto chats = store_->read([&](cache::Reader& db) { return cache::find_chats(db, id, page); });
        if (!chats || chats->empty()) return std::nullopt;
        for (const auto& text : *chats)
            if (json chat = json::parse(text); chat["id"] == run.chat) return chat;
    }
    return std::nullopt;
}

void AppRuns::fetched(const std::string& conversation, std::uint64_t fence, bool whole)
{
    if (!whole || !run_ || run_->conversation != conversation || run_->fence != fence) return;
    const auto now = world_.find_chat(conversation, run_->chat);
    if (!now || (*now)["message"] != run_->message || conversation == world_.ill) return; // it has gone on
    // Upstream may show a new one later than its reads lag: what is not held at all is asked of upstream.
    const ConversationId id{conversation};
    if (!store_->read([&](cache::Reader& db) { return cache::find_held(db, id).has_value(); })) return;
    ++told_;
    const auto held = find_held(*run_);
    if (!held || (*held)["message"] != run_->message)
        wrong_ = fmt::format("all of {} is said to be held, and {} is", run_->message, held ? held->dump() : "nothing");
}

// What a client reads in between: a message that says it is complete is.
std::string AppRuns::check()
{
    if (!wrong_.empty() || !run_) return wrong_;
    const auto now = world_.find_chat(run_->conversation, run_->chat);
    const auto held = find_held(*run_);
    if (held && (*held)["completed"] == true && now && (*now)["completed"] == false)
        return fmt::format("{} is shown as complete while it grows", held->dump());
    return "";
}

} // namespace simulation
