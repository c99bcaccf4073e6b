// SPDX-License-Identifier: Apache-2.0
// The project's categories, as upstream last listed them. Filters and writes name one by its id; a conversation may
// bear the id or the name, which the contract leaves open. What is not certain is not decided here: upstream is asked.
#pragma once

#include "alli/category.hpp"
#include "cache/rows/edit.hpp"
#include "cache/rows/list_filter.hpp"

#include <map>
#include <span>

namespace alli::cache {

struct CategoryList {
    std::string raw; // byte for byte
    Instant verified_at;
};
std::optional<CategoryList> find_category_list(Reader& db); // none: never read
void put_category_list(Writer& db, const std::string& raw, std::span<const Category> categories, Instant verified_at);

/// The values of a conversation's categories that a category may stand for there: its id and its name. None: the id is
/// not known, or another category has the same name, or bears the one's id for its name.
std::optional<std::vector<std::string>> find_category_values(Connection& db, const std::string& id);

/// Makes a filter by an id one that finds the rows that bear its name, too. False: upstream has to say.
bool resolve_category(Reader& db, ListFilter& filter);

/// Whether a conversation bears one that the list does not know, neither by id nor by name.
bool has_unknown_category(Reader& db);

/// How writes show: as conversations bear their categories.
class CategoryNames {
  public:
    /// The patch with its `categories`, which are ids, as upstream would show them.
    Patch shown(Patch patch) const;

  private:
    friend CategoryNames load_category_names(Connection& db);
    std::map<std::string, std::string> name_of_; // of an id; empty where conversations bear ids
};
CategoryNames load_category_names(Connection& db);

} // namespace alli::cache
