// SPDX-License-Identifier: Apache-2.0
// docs/openapi.json against the table of routes: each of our own endpoints is described, with the scope that it needs,
// and nothing else is.
#include "proxy/access/browser_sessions.hpp"
#include "proxy/endpoints/page.hpp"
#include "proxy/request/own_parameters.hpp"
#include "proxy/routes.hpp"
#include "tests/proxy/fixture.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace alli::proxy {
namespace {

using nlohmann::json;

class OpenApi : public ProxyTest {
  protected:
    void SetUp() override
    {
        start();
        const auto reply = get("/mirror/v1/openapi.json");
        ASSERT_EQ(reply.status, 200);
        EXPECT_EQ(reply.header("Content-Type"), "application/json");
        document_ = json::parse(reply.body);
    }

    const json& operation(const Route& route) const
    {
        std::string method(route.method);
        for (char& letter : method) letter = static_cast<char>(std::tolower(letter));
        static const json none;
        const auto path = document_["paths"].find(std::string(route.pattern));
        if (path == document_["paths"].end() || !path->contains(method)) return none;
        return (*path)[method];
    }

    json document_;
};

std::vector<Route> own_routes()
{
    std::vector<Route> own;
    for (const Route& route : routes())
        if (route.error_format == ErrorFormat::ours) own.push_back(route);
    return own;
}

TEST_F(OpenApi, DescribesEachRouteOfOursAndNothingElse)
{
    std::size_t described = 0;
    for (const auto& [path, methods] : document_["paths"].items()) described += methods.size();
    EXPECT_EQ(described, own_routes().size());
    for (const Route& route : own_routes())
        EXPECT_TRUE(operation(route).is_object()) << route.method << ' ' << route.pattern << " is not described";
}

TEST_F(OpenApi, SaysTheScopeThatEachNeeds)
{
    for (const Route& route : own_routes()) {
        const auto scope = route.needed.scope();
        const json& security = operation(route)["security"];
        EXPECT_EQ(security.empty(), !scope) << route.pattern;
        const bool by_session =
            scope && *scope != Scope::admin && opens_to_sessions(route.method, route.pattern, Operations());
        const auto is_session = [](const json& scheme) { return scheme.contains("session"); };
        EXPECT_EQ(std::any_of(security.begin(), security.end(), is_session), by_session)
            << route.method << ' ' << route.pattern;
        for (const json& scheme : security)
            for (const auto& [name, roles] : scheme.items()) {
                EXPECT_TRUE(document_["components"]["securitySchemes"].contains(name)) << name;
                EXPECT_EQ(roles, json::array({name_of(*scope)})) << route.method << ' ' << route.pattern;
            }
    }
}

TEST_F(OpenApi, DeclaresEachParameterOfAPath)
{
    for (const Route& route : own_routes()) {
        std::set<std::string> in_path, declared;
        for (auto at = route.pattern.find('{'); at != route.pattern.npos; at = route.pattern.find('{', at + 1))
            in_path.emplace(route.pattern.substr(at + 1, route.pattern.find('}', at) - at - 1));
        for (const json& parameter : operation(route).value("parameters", json::array()))
            if (parameter["in"] == "path") declared.insert(parameter["name"]);
        EXPECT_EQ(in_path, declared) << route.method << ' ' << route.pattern;
    }
}

// Probes and the page take what anybody adds; all others refuse what is not described.
TEST_F(OpenApi, DeclaresEachParameterThatIsTaken)
{
    const std::set<OperationId> lenient{OperationId::live, OperationId::ready, OperationId::metrics,
                                        OperationId::page, OperationId::asset, OperationId::enter};
    for (const Route& route : own_routes()) {
        const bool by_body = route.operation == OperationId::search && route.method == "POST";
        if (by_body || lenient.contains(route.operation)) continue;
        std::vector<std::string> declared;
        for (const json& parameter : operation(route).value("parameters", json::array()))
            if (parameter["in"] == "query") declared.push_back(parameter["name"]);
        std::string hint = "anything";
        try {
            require_own_parameters(route.operation, "zebraquagga=1", {});
        } catch (const Error& error) {
            hint = error.hint();
        }
        EXPECT_EQ(hint, declared.empty() ? "it takes none" : fmt::format("it takes {}", fmt::join(declared, ", ")))
            << route.method << ' ' << route.pattern;
    }
}

TEST_F(OpenApi, IsAWholeDocument)
{
    EXPECT_EQ(document_["openapi"], "3.1.0");
    std::set<std::string> ids, references;
    const auto walk = [&](const auto& self, const json& node) -> void {
        if (node.is_object() && node.contains("operationId")) {
            EXPECT_TRUE(ids.insert(node["operationId"]).second) << node["operationId"] << " stands twice";
            EXPECT_TRUE(node["responses"].is_object() && !node["responses"].empty()) << node["operationId"];
        }
        if (node.is_object() && node.contains("$ref")) references.insert(node["$ref"]);
        if (node.is_structured())
            for (const json& inner : node) self(self, inner);
    };
    walk(walk, document_);
    for (const std::string& reference : references)
        EXPECT_TRUE(document_.contains(json::json_pointer(reference.substr(1)))) << reference << " leads nowhere";
}

// What the program answers has the members that are required, at the top at least.
TEST_F(OpenApi, NamesWhatAnswersHold)
{
    const std::pair<const char*, const char*> shapes[] = {{"/mirror/v1/search?q=x", "SearchResult"},
                                                          {"/mirror/v1/changes", "Changes"},
                                                          {"/mirror/v1/insights", "Insights"},
                                                          {"/mirror/v1/principal", "Principal"}};
    for (const auto& [target, name] : shapes) {
        const auto reply = get(target);
        ASSERT_EQ(reply.status, 200) << target << reply.body;
        const json answer = json::parse(reply.body);
        const json& schema = document_["components"]["schemas"][name];
        for (const json& member : schema["required"]) EXPECT_TRUE(answer.contains(member)) << target << member;
        for (const auto& [member, value] : answer.items())
            EXPECT_TRUE(schema["properties"].contains(member)) << target << ": " << member << " is not described";
    }
    const json problem = json::parse(get("/mirror/v1/outbox/0").body);
    for (const auto& [member, value] : problem.items())
        EXPECT_TRUE(document_["components"]["schemas"]["Problem"]["properties"].contains(member)) << member;
}

} // namespace
} // namespace alli::proxy
