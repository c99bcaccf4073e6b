// SPDX-License-Identifier: Apache-2.0
#include "alli/category.hpp"

#include "alli/error.hpp"
#include "alli/json_scan.hpp"
#include "alli/wire_field.hpp"

#include <array>

namespace alli {
namespace {

[[noreturn]] void refuse(std::string_view why)
{
    throw Error(Fault::bad_reply, "what answered is not what the API's contract says",
                "the list of categories cannot be read: {}", why);
}

} // namespace

std::vector<Category> read_categories(std::string_view body)
{
    constexpr std::array<std::string_view, 1> names{"categories"};
    const JsonValue list = find_member(find_content(whole_value(body), names), names[0]);
    if (!list.is_array()) refuse("it has no array `categories`");
    std::vector<Category> all;
    bool unread = false;
    for (JsonItems item(list); item.next();) {
        auto id = read_id(find_member(item.value, "categoryId"));
        auto name = read_id(find_member(item.value, "name"));
        unread = unread || !id;
        if (id) all.push_back({*id, name.value_or(*id)});
    }
    if (all.empty() && unread) refuse("none of its items has a `categoryId`");
    return all;
}

} // namespace alli
