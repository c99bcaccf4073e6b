// SPDX-License-Identifier: Apache-2.0
// The values that the mirrored conversations bear, of fields that have few: apps, categories, states, assignees,
// channels. Each costs a few steps in an index. Used within one read, on its thread.
#pragma once

#include "cache/rows/visibility.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

/// As names are compared: whatever their case and form.
std::string folded(std::string_view text);

struct KnownApp {
    std::string id, name; // name: empty where upstream sent none
};
std::vector<KnownApp> known_apps(Reader& db);

/// The ids of the apps that an id or a name means.
std::vector<std::string> apps_meant(Reader& db, const std::string& value);

/// Ids or names, as conversations bear them.
std::vector<std::string> borne_categories(Reader& db);

/// Folded: what is meant by a category that is given by its id or its name.
std::vector<std::string> names_of_category(Reader& db, const std::string& category);

/// What conversations bear of the categories that an id or a name means.
std::vector<std::string> categories_meant(Reader& db, const std::string& value);

/// Whether a conversation in view is of a user with this id. What is out of view must not show by what `user:` means.
bool has_user_id(Reader& db, const std::string& user, const Visibility& seen);

/// Of the facts "state", "assignee" or "channel".
std::vector<std::string> known_facts(Reader& db, std::string_view fact);

} // namespace alli::cache
