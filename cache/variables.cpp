// SPDX-License-Identifier: Apache-2.0
#include "cache/variables.hpp"

#include "alli/error.hpp"
#include "cache/assemble.hpp"
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

using Texts = std::map<std::string, std::string>; // names, and their values' text

Texts texts_of(od::object variables)
{
    Texts found;
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

template <class Take>
auto with_object(std::string_view body, Take take)
{
    const simdjson::padded_string padded(body);
    od::parser parser;
    od::document document;
    od::object root;
    if (parser.iterate(padded).get(document) || document.get_object().get(root)) unreadable();
    return take(root);
}

// None without that member.
std::optional<Texts> variables_in(std::string_view body)
{
    return with_object(body, [](od::object root) -> std::optional<Texts> {
        od::object variables;
        const auto missing = root.find_field_unordered("variables").get_object().get(variables);
        if (missing == simdjson::NO_SUCH_FIELD) return std::nullopt;
        if (missing) unreadable();
        return texts_of(variables);
    });
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

bool put(Writer& db, const ConversationId& id, std::span<const std::string> names, const Texts& sent, Instant now)
{
    const auto pk = find_pk(db, id);
    if (!pk) return false;
    bool changed = false; // what was kept before: nobody has seen the others here
    for (const std::string& name : names) {
        const auto found = sent.find(name);
        const std::optional<std::string> value = found == sent.end() ? std::nullopt : std::optional(found->second);
        const auto kept = find_variable(db, *pk, name);
        changed = changed || (kept && kept->value != value);
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
    if (!raw.ends_with('}') || variables_in(raw)) return false;
    std::string members;
    for (const std::string& name : names) {
        const auto kept = find_variable(db, pk, name);
        if (!kept) return false;
        verified_at = std::min(verified_at, kept->verified_at);
        if (!kept->value) continue;
        if (!members.empty()) members += ',';
        members += nlohmann::json(name).dump() + ':' + *kept->value;
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
    return put(db, id, names, with_object(object, [](od::object all) { return texts_of(all); }), now);
}

} // namespace alli::cache
