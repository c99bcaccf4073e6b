// SPDX-License-Identifier: Apache-2.0
// What a write of the contract does to what reads show: which members of the conversation, or of the chat, it sets.
// Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace alli::cache {

enum class EditKind { update, title, feedback, bulk_update, remove, stop };
std::string_view name_of(EditKind kind) noexcept; // as outbox.db has it
std::optional<EditKind> find_edit_kind(std::string_view name) noexcept;

/// Members to set and their values as JSON, in the order of the body.
using Patch = std::vector<std::pair<std::string, std::string>>;

/// What a body of the contract sets, by the names that upstream shows: categoryIds are `categories`. Empty for a kind
/// that sets nothing (remove, stop). `body` was checked: one that is no object sets nothing.
Patch patch_of(EditKind kind, std::string_view body);

/// A patch as one JSON object, and back.
std::string write_patch(const Patch& patch);
Patch read_patch(std::string_view text);

/// The members' own values in a raw object, as JSON; "null" for one that it lacks.
Patch values_of(std::string_view raw, const Patch& wanted);

/// `raw` with the members of the patch set: in the place of the old value, or at the end. All other bytes stay.
std::string with_patch(std::string_view raw, const Patch& patch);

/// Whether two JSON texts mean the same.
bool same_value(std::string_view a, std::string_view b);

/// Likewise of the member `name`: in what order a conversation's categories stand says nothing.
bool same_member(std::string_view name, std::string_view a, std::string_view b);

/// What a bulk update selects: any of each kind that is given, all kinds at once.
struct Selection {
    std::vector<std::string> users, apps, categories, conversations;
    bool given() const { return !(users.empty() && apps.empty() && categories.empty() && conversations.empty()); }
};
Selection read_selection(std::string_view body);

} // namespace alli::cache
