// SPDX-License-Identifier: Apache-2.0
// A page whose structure breaks within an item (a quote that was not escaped, a text cut short) made one that can be
// followed: of the broken item the members before the break are left, byte for byte, and the items behind it are found
// by what they look like. A guess, for when the same page came broken again and again. Pure: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alli {

/// What to look for.
struct PageForm {
    std::string_view items;                    // the name of the array
    std::span<const std::string_view> marks;   // an item behind a break is one that has an id and any of these
    std::span<const std::string_view> scanned; // of a broken item: numbers to find behind the break
};

struct MendedPage {
    std::string text;                 // {"conversations":[...],"cursor":...}
    std::size_t items = 0;            // how many
    std::vector<std::size_t> partial; // which of them are not whole, from 0
    bool has_cursor = false;          // false: the page may have had one
};

/// No items: this is no such page.
MendedPage mend_page(std::string_view body, const PageForm& form);

} // namespace alli
