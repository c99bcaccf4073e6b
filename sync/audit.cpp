// SPDX-License-Identifier: Apache-2.0
#include "sync/audit.hpp"

#include "cache/conversations.hpp"

#include <nlohmann/json.hpp>

namespace alli::sync {

std::set<std::string> differing_fields(const std::string& ours, const std::string& theirs)
{
    std::set<std::string> fields;
    if (ours == theirs) return fields;
    const auto a = nlohmann::json::parse(ours, nullptr, false), b = nlohmann::json::parse(theirs, nullptr, false);
    if (!a.is_object() || !b.is_object()) return fields;
    for (const auto& [name, value] : a.items())
        if (!b.contains(name) || b[name] != value) fields.insert(name);
    for (const auto& [name, value] : b.items())
        if (!a.contains(name)) fields.insert(name);
    return fields;
}

void Audit::look_at(cache::Reader& db, const Conversation& theirs)
{
    differing_.clear();
    const auto held = cache::find_held(db, theirs.id);
    const auto ours = cache::find_item(db, theirs.id);
    counts_ = held && ours && held->last_chat_at == theirs.last_chat_at && held->last_completed;
    if (held && ours) ++found_.audited;
    if (counts_) differing_ = differing_fields(*ours, theirs.raw);
}

void Audit::end_look(bool chats_differ)
{
    if (!counts_) return;
    if (chats_differ) differing_.insert("chats");
    if (differing_.empty()) return;
    ++found_.differed;
    for (const std::string& field : differing_) ++found_.fields[field];
}

} // namespace alli::sync
