// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/audit.hpp"

#include "alli/json_scan.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/edit.hpp"

#include <map>

namespace alli::sync {

static std::map<std::string, std::string> members_of(std::string_view raw)
{
    std::map<std::string, std::string> members;
    for (JsonMembers member(whole_value(raw)); member.next();)
        members.insert_or_assign(std::string(member.key), std::string(member.value.text));
    return members;
}

std::set<std::string> differing_fields(const std::string& ours, const std::string& theirs)
{
    std::set<std::string> fields;
    if (ours == theirs) return fields;
    const auto a = members_of(ours), b = members_of(theirs);
    for (const auto& [name, value] : a)
        if (const auto it = b.find(name); it == b.end() || !cache::same_value(it->second, value)) fields.insert(name);
    for (const auto& [name, value] : b)
        if (!a.contains(name)) fields.insert(name);
    return fields;
}

void Audit::look_at(cache::Reader& db, const cache::Held& held, const Conversation& theirs)
{
    differing_.clear();
    const auto ours = cache::find_item(db, theirs.id);
    counts_ = ours && held.last_chat_at == theirs.last_chat_at && held.last_completed;
    if (ours) ++found_.audited;
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
