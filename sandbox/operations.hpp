// SPDX-License-Identifier: Apache-2.0
// One function an operation. Each throws alli::Error: usage (a bad parameter), refused (an unknown id), bad_reply (a
// body that is no JSON); the service turns these into the shapes that the real one sends.
#pragma once

#include "sandbox/call.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/model.hpp"
#include "sandbox/options.hpp"
#include "sandbox/read_lag.hpp"
#include "sandbox/runs.hpp"

namespace alli::sandbox {

/// What an operation works on.
struct Desk {
    World& world;
    Journal& journal;
    const Options& options;
    ReadLag& lag;
    Runs& runs;

    void will_write(const Conversation& conversation) { lag.note(conversation, world.now()); }
};

// Reads
Answer list_conversations(Desk& desk, const Call& call);
Answer count_conversations_daily(Desk& desk, const Call& call);
Answer get_conversation(Desk& desk, const Call& call);
Answer list_chats(Desk& desk, const Call& call);
Answer get_chat(Desk& desk, const Call& call);
Answer is_running(Desk& desk, const Call& call);

// Writes
Answer update_conversation(Desk& desk, const Call& call);
Answer set_title(Desk& desk, const Call& call);
Answer bulk_update_conversations(Desk& desk, const Call& call);
Answer delete_conversation(Desk& desk, const Call& call);
Answer stop_conversation(Desk& desk, const Call& call);
Answer rate_chat(Desk& desk, const Call& call);

// What lives beside the conversations
Answer list_categories(Desk& desk, const Call& call);
Answer create_category(Desk& desk, const Call& call);
Answer delete_category(Desk& desk, const Call& call);
Answer list_projects(Desk& desk, const Call& call);     // a bare array
Answer list_apps(Desk& desk, const Call& call);         // of the older API
Answer list_apps_by_page(Desk& desk, const Call& call); // {apps, cursor}
Answer get_app(Desk& desk, const Call& call);           // bare
Answer list_hashtags(Desk& desk, const Call& call);
Answer list_knowledge_bases(Desk& desk, const Call& call);
Answer get_knowledge_base(Desk& desk, const Call& call);
Answer run_app(Desk& desk, const Call& call);
Answer run_conversation(Desk& desk, const Call& call); // a form alone, and always streamed
Answer generate_answer(Desk& desk, const Call& call);  // streams what is new of it, a line each

// Shared by the above
Conversation& load_conversation(Desk& desk, const Call& call);             // the first id of the path
std::size_t load_chat(const Conversation& conversation, const Call& call); // the second
Answer answer_conversation(const Conversation& conversation, const std::vector<std::string>& variables);
const App& load_app(Desk& desk, const Call& call); // the first id
/// `body` sent in pieces for as long as `desk.options.run_time`, which is over before the last one.
Answer streamed(const Desk& desk, std::string body);
/// The body as a JSON object.
Json read_object(const Call& call);
/// The user that OWN-USER-ID names, made when it is new; with USER-EMAIL its address is set. None: no such header.
const User* attributed_user(World& world, const Call& call);
/// Ends the answer that is being written. Moves no clock.
void finish_answer(World& world, Conversation& conversation);

} // namespace alli::sandbox
