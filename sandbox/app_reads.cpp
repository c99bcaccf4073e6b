// SPDX-License-Identifier: Apache-2.0
// The apps of the project, in the uneven shapes of the service's two APIs.
#include "sandbox/encoding.hpp"
#include "sandbox/operations.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

namespace alli::sandbox {
namespace {

constexpr std::int64_t most_apps = 50; // of a page

Json app_json(const App& app)
{
    return {{"id", app.id}, {"name", app.name}, {"description", app.description}};
}

Json app_of_a_page(const App& app)
{
    Json json = app_json(app);
    json["type"] = "LLM_APP";
    json["isPublished"] = true;
    return json;
}

// A cursor is the place where the next page begins.
std::size_t read_place(const Query& query)
{
    const std::string text = query.find("cursor").value_or("");
    if (text.empty()) return 0;
    const std::string place = from_base64(text).value_or("");
    std::size_t value = 0;
    const auto [end, bad] = std::from_chars(place.data(), place.data() + place.size(), value);
    if (bad != std::errc{} || end != place.data() + place.size()) bad_parameter("cursor is not valid");
    return value;
}

} // namespace

const App& load_app(Desk& desk, const Call& call)
{
    const App* app = desk.world.find_app(call.ids.at(0));
    if (app == nullptr) not_found("App");
    return *app;
}

Answer list_apps(Desk& desk, const Call&)
{
    Json apps = Json::array();
    for (const auto& app : desk.world.apps()) apps.push_back(app_json(*app));
    return {.body = R"({"apps":)" + apps.dump() + '}'};
}

Answer list_apps_by_page(Desk& desk, const Call& call)
{
    const auto& all = desk.world.apps();
    const Query query = call.query();
    const auto size = static_cast<std::size_t>(query.number("pageSize", most_apps, 1, most_apps));
    const std::size_t first = std::min(read_place(query), all.size()), end = std::min(first + size, all.size());
    Json page{{"apps", Json::array()}, {"cursor", nullptr}};
    for (std::size_t i = first; i < end; ++i) page["apps"].push_back(app_of_a_page(*all[i]));
    if (end < all.size()) page["cursor"] = base64url(std::to_string(end));
    return {.body = page.dump()};
}

Answer get_app(Desk& desk, const Call& call)
{
    Json json = app_of_a_page(load_app(desk, call));
    json["inputs"] = Json::array({{{"name", "document"}, {"type", "FILE"}, {"required", false}}});
    return {.body = json.dump()};
}

} // namespace alli::sandbox
