// SPDX-License-Identifier: Apache-2.0
#include "cache/variables.hpp"

#include "alli/error.hpp"
#include "cache/changes.hpp"
#include "cache/conversations.hpp"

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <map>

namespace alli::cache {
namespace {

namespace od = simdjson::ondemand;

[[noreturn]] void unreadable()
{
    throw Error(Fault::bad_reply, "what upstream sent is not what the API's contract says",
                "the variables of a conversation cannot be read");
}

std::string_view trimmed(std::string_view text)
{
    return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

// Names and their values' text, in no order; none without that member.
std::optional<std::map<std::string, std::string>> variables_in(const std::string& body)
{
    const simdjson::padded_string padded(body);
    od::parser parser;
    od::document document;
    od::object root, variables;
    if (parser.iterate(padded).get(document) || document.get_object().get(root)) unreadable();
    const auto missing = root.find_field_unordered("variables").get_object().get(variables);
    if (missing == simdjson::NO_SUCH_FIELD) return std::nullopt;
    if (missing) unreadable();
    std::map<std::string, std::string> found;
    for (auto entry : variables) {
        od::field field;
        std::string_view key, value;
        if (std::move(entry).get(field) || field.unescaped_key().get(key)) unreadable();
        std::string name(key);
        if (simdjson::to_json_string(field.value()).get(value)) unreadable();
        found.emplace(std::move(name), trimmed(value));
    }
    return found;
}

struct Kept {
    std::optional<std::string> value;
    Instant verified_at;
};

std::optional<Kept> find_variable(Reader& db, std::int64_t pk, const std::string& name)
{
    for (const Row row :
         db.query("SELECT value, verified_at FROM variable WHERE conversation = ?1 AND name = ?2", pk, name))
        return Kept{row.optional_text(0), *row.optional_instant(1)};
    return std::nullopt;
}

} // namespace

std::optional<WithVariables> find_with_variables(Reader& db, const ConversationId& id,
                                                 std::span<const std::string> names)
{
    const auto pk = find_pk(db, id);
    auto body = pk ? find_conversation(db, id) : std::nullopt;
    // What it always carries cannot be told from what was asked for.
    if (!body || !body->ends_with('}') || variables_in(*body)) return std::nullopt;
    WithVariables found{{}, Instant::max()};
    std::string members;
    for (const std::string& name : names) {
        const auto kept = find_variable(db, *pk, name);
        if (!kept) return std::nullopt;
        found.verified_at = std::min(found.verified_at, kept->verified_at);
        if (!kept->value) continue;
        if (!members.empty()) members += ',';
        members += nlohmann::json(name).dump() + ':' + *kept->value;
    }
    body->pop_back();
    found.body = std::move(*body) + ",\"variables\":{" + members + "}}";
    return found;
}

bool put_variables(Writer& db, const ConversationId& id, std::span<const std::string> names, const std::string& body,
                   Instant now)
{
    const auto pk = find_pk(db, id);
    const auto sent = variables_in(body);
    if (!pk || !sent) return false;
    bool changed = false; // what was kept before: nobody has seen the others here
    for (const std::string& name : names) {
        const auto found = sent->find(name);
        const std::optional<std::string> value = found == sent->end() ? std::nullopt : std::optional(found->second);
        const auto kept = find_variable(db, *pk, name);
        changed = changed || (kept && kept->value != value);
        db.run("INSERT INTO variable (conversation, name, value, verified_at) VALUES (?1, ?2, ?3, ?4)"
               " ON CONFLICT (conversation, name) DO UPDATE SET value = ?3, verified_at = ?4",
               *pk, name, value, now);
    }
    if (changed) note_change(db, id, ChangeKind::conversation);
    return true;
}

} // namespace alli::cache
