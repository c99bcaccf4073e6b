// SPDX-License-Identifier: Apache-2.0
// The categories of a project, as upstream lists them: {"categories":[{"categoryId","name"}]}, bare or in one step of
// an envelope. Pure: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace alli {

struct Category {
    std::string id, name; // name: the id where it has none

    bool operator==(const Category&) const = default;
};

/// Items without an id are passed by. Throws Error{bad_reply} where there is no such list, or none of its items can be
/// read.
std::vector<Category> read_categories(std::string_view body);

} // namespace alli
