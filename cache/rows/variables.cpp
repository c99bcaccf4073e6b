// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/variables.hpp"

#include "alli/error.hpp"
#include "alli/json_text.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/conversation_json.hpp"
#include "cache/rows/conversation_rows.hpp"

#include <array>
#include <map>

namespace alli::cache {
namespace {

[[noreturn]] void unreadable()
{
    throw Error(Fault::bad_reply, "what upstream sent is not what the API's contract says",
                "the variables of a conversation cannot be read");
}

using Texts = std::map<std::string, std::string>; // names, and their values' text

JsonValue require_object(std::string_view text)
{
    const JsonValue value = whole_value(text);
    if (!value.is_object()) unreadable();
    return value;
}

Texts texts_of(JsonValue variables)
{
    Texts found;
    for (JsonMembers member(variables); member.next();)
        if (!member.value.text.empty()) found.insert_or_assign(std::string(member.key), std::string(member.value.text));
    return found;
}

// None without that member.
std::optional<Texts> variables_in(std::string_view body)
{
    constexpr std::array<std::string_view, 1> names{"variables"};
    const JsonValue variables = find_member(find_content(require_object(body), names), "variables");
    if (variables.text.empty()) return std::nullopt;
    return texts_of(require_object(variables.text));
}

struct StoredVariable {
    std::optional<std::string> value;
    Instant verified_at;
};

std::optional<StoredVariable> find_variable(Reader& db, std::int64_t pk, const std::string& name)
{
    const auto read = [](const Row& row) { return StoredVariable{row.optional_text(0), row.get<Instant>(1)}; };
    return db.one(read, "SELECT value, verified_at FROM variable WHERE conversation = ?1 AND name = ?2", pk, name);
}

bool put(Writer& db, const ConversationId& id, std::span<const std::string> names, const Texts& sent, Instant now)
{
    const auto pk = find_pk(db, id);
    if (!pk) return false;
    bool changed = false; // what was kept before: nobody has seen the others here
    for (const std::string& name : names) {
        const auto found = sent.find(name);
        const std::optional<std::string> value = found == sent.end() ? std::nullopt : std::optional(found->second);
        const auto stored = find_variable(db, *pk, name);
        changed = changed || (stored && stored->value != value);
        db.run("INSERT INTO variable (conversation, name, value, verified_at) VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (conversation, name) DO UPDATE SET value = ?3, verified_at = ?4",
               *pk, name, value, now);
    }
    if (changed) note_change(db, id, ChangeKind::conversation);
    return true;
}

} // namespace

std::optional<WithVariables> find_with_variables(Reader& db, const ConversationId& id,
                                                 std::span<const std::string> names)
{
    WithVariables found{{}, Instant::max()};
    for (const Row row : db.query("SELECT pk, raw, chats_at, held FROM conversation WHERE id = ?1", id.value)) {
        append_single(db, row, found.body);
        if (append_variables(db, row.integer(0), row.text(1), names, found.body, found.verified_at)) return found;
    }
    return std::nullopt;
}

bool append_variables(Reader& db, std::int64_t pk, std::string_view raw, std::span<const std::string> names,
                      std::string& body, Instant& verified_at)
{
    // What it always carries cannot be told from what was asked for.
    if (!raw.ends_with('}') || !find_member(whole_value(raw), "variables").text.empty()) return false;
    std::string members;
    for (const std::string& name : names) {
        const auto stored = find_variable(db, pk, name);
        if (!stored) return false;
        verified_at = std::min(verified_at, stored->verified_at);
        if (!stored->value) continue;
        if (!members.empty()) members += ',';
        members += quoted_text(name) + ':' + *stored->value;
    }
    body.pop_back();
    body += ",\"variables\":{" + members + "}}";
    return true;
}

bool put_variables(Writer& db, const ConversationId& id, std::span<const std::string> names, const std::string& body,
                   Instant now)
{
    const auto sent = variables_in(body);
    return sent && put(db, id, names, *sent, now);
}

bool put_variables_object(Writer& db, const ConversationId& id, std::span<const std::string> names,
                          const std::string& object, Instant now)
{
    return put(db, id, names, texts_of(require_object(object)), now);
}

} // namespace alli::cache
