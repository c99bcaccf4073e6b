// SPDX-License-Identifier: Apache-2.0
#include "cache/unread_fields.hpp"

#include "alli/wire.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

// Beyond so many it is upstream's way of writing them, and no list of names helps.
constexpr std::int64_t most_named = 50;
constexpr std::string_view prefix = "fields ", past_prefix = "fields!", others = "more fields";

std::int64_t count_named(Reader& db)
{
    return db.one<std::int64_t>("SELECT count(*) FROM problem WHERE key >= ?1 AND key < ?2", prefix, past_prefix)
        .value_or(0);
}

void add(std::vector<std::string>& fields, const std::vector<std::string_view>& unread)
{
    for (const std::string_view field : unread)
        if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.emplace_back(field);
}

std::vector<std::string> find_unread(Reader& db, const ConversationId& id)
{
    std::vector<std::string> fields;
    TimeUnit unit = load_progress(db).unit;
    const auto raw = find_item(db, id);
    const auto pk = find_pk(db, id);
    if (!raw || !pk) return fields;
    add(fields, reread_item(*raw, unit).unread);
    visit_texts(db, *pk,
                [&](const ChatTextView& text) { add(fields, reread_chat(std::string(text.raw), unit).unread); });
    return fields;
}

Problem problem_of(std::string what, Instant now)
{
    Problem problem;
    problem.what = std::move(what);
    problem.hint = "held and served as upstream sent it; for filters, orders and search these fields are empty";
    problem.since = now;
    return problem;
}

} // namespace

bool has_unread_fields(Reader& db)
{
    return count_named(db) > 0;
}

void note_unread_fields(Writer& db, const ConversationId& id, Instant now)
{
    const std::string key = std::string(prefix) + id.value;
    const auto fields = find_unread(db, id);
    if (fields.empty()) {
        if (clear_problem(db, key) && count_named(db) < most_named) clear_problem(db, others);
        return;
    }
    if (!find_problem(db, key) && count_named(db) >= most_named) {
        put_problem(db, others, problem_of("more conversations have fields that cannot be read", now));
        return;
    }
    Problem problem =
        problem_of(fmt::format("fields of conversation {} cannot be read: {}", id.value, fmt::join(fields, ", ")), now);
    problem.conversation = id.value;
    put_problem(db, key, problem);
}

} // namespace alli::cache
