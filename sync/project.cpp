// SPDX-License-Identifier: Apache-2.0
#include "sync/project.hpp"

#include "alli/random.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/rows/identity.hpp"

namespace alli::sync {
namespace {

using cache::FilledWith;
using upstream::Priority;

constexpr std::chrono::milliseconds look_again{20};
constexpr std::chrono::seconds denied_for{60}; // an upstream in trouble may have said 404 to everything
constexpr std::size_t most_asked = 3;
constexpr std::size_t salt_bytes = 16;

// Where the mirror is new, what waits to be sent says whose it is.
std::vector<ConversationId> known_ids(cache::Store& store)
{
    auto ids = store.read([](cache::Reader& db) { return cache::find_probe_ids(db); });
    if (!ids.empty()) return ids;
    for (const auto& line : store.read_outbox([](cache::Reader& db) { return cache::load_lines(db); }))
        if (line.conversation && ids.size() < most_asked) ids.push_back(*line.conversation);
    return ids;
}

bool can_wait(const Error& error)
{
    return error.fault() == Fault::disk_full || error.fault() == Fault::busy;
}

} // namespace

Project::Project(upstream::Client& client, cache::Store& store, Clock& clock, std::string key)
    : client_(client), store_(store), clock_(clock), key_(std::move(key))
{
    const auto look = [&](cache::Reader& db) { return cache::filled_with(db, key_); };
    const FilledWith mirror = store_.read(look), outbox = store_.read_outbox(look);
    changed_ = mirror == FilledWith::another || outbox == FilledWith::another;
    sure_ = mirror == FilledWith::this_key && outbox == FilledWith::this_key;
}

Task<> Project::make_sure()
{
    while (asking_) co_await clock_.sleep(look_again); // somebody is finding out
    if (sure_) co_return;
    if (denied_ && !accepted_ && clock_.steady() < ask_again_at_) throw Error(*denied_);
    asking_ = true;
    struct Done {
        bool& asking;
        ~Done() { asking = false; }
    } const done{asking_};
    co_await find_out();
}

Task<> Project::find_out()
{
    if (changed_ && !accepted_) co_await ask();
    sure_ = true;
    co_await adopt();
}

Task<> Project::ask()
{
    const auto ids = known_ids(store_);
    std::optional<Error> unreadable;
    for (const ConversationId& id : ids) {
        try {
            const bool known = co_await knows(id);
            if (known) co_return;
        } catch (const Error& error) {
            if (error.fault() != Fault::bad_reply) throw;
            unreadable = error; // another one may say more
        }
    }
    if (unreadable) throw Error(*unreadable);
    if (ids.empty()) co_return; // nothing is here that could mix with another's
    ask_again_at_ = clock_.steady() + denied_for;
    denied_ = Error(Fault::key_rejected,
                    "put the former key back, or give this project a mirror.path of its own; if it is to be this one "
                    "from now on: alli-mirror sync --accept-key",
                    "the key was changed and opens another project: upstream knows none of {} conversations of this "
                    "mirror that it was asked for",
                    ids.size());
    throw Error(*denied_);
}

Task<bool> Project::knows(ConversationId id)
{
    const auto found = co_await client_.find_conversation(std::move(id), Priority::increment);
    co_return found.has_value();
}

// From now on both files know the key. Where the disk has no room for it, the next start does this.
Task<> Project::adopt()
{
    const std::string salt = SystemRandom().bytes(salt_bytes); // a secret: never from a seed
    const auto put = [&](cache::Writer& db) { cache::put_key_hash(db, key_, salt); };
    std::optional<Error> trouble;
    try {
        co_await store_.write(put);
        co_await store_.write_outbox(put);
    } catch (const Error& error) {
        trouble = error;
    }
    if (trouble && !can_wait(*trouble)) throw Error(*trouble);
}

} // namespace alli::sync
