// SPDX-License-Identifier: Apache-2.0
// The categories of the project: filters and writes name them by id.
#include "sandbox/operations.hpp"

namespace alli::sandbox {
namespace {

Json category_json(const Category& category)
{
    return {{"categoryId", category.id}, {"name", category.name}};
}

} // namespace

Answer list_categories(Desk& desk, const Call&)
{
    Json all = Json::array();
    for (const Category& category : desk.world.categories()) all.push_back(category_json(category));
    return {.body = R"({"categories":)" + all.dump() + '}'};
}

Answer create_category(Desk& desk, const Call& call)
{
    const Json body = read_object(call);
    const auto name = body.find("name");
    if (name == body.end() || !name->is_string()) bad_parameter("name must be a string");
    const Category& made = desk.world.add_category(name->get<std::string>());
    desk.journal.wrote("createCategory", "", call.body);
    return {.body = category_json(made).dump()};
}

Answer delete_category(Desk& desk, const Call& call)
{
    const std::string& id = call.ids.at(0);
    if (desk.world.find_category(id) == nullptr) not_found("Category");
    desk.world.erase_category(id);
    desk.journal.wrote("deleteCategory", "", call.body);
    return {};
}

} // namespace alli::sandbox
