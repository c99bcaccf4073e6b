// SPDX-License-Identifier: Apache-2.0
// What the tests of this room share: a sandbox and a client that speaks JSON with it.
#pragma once

#include "sandbox/sandbox.hpp"
#include "tests/support/http_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace alli::sandbox {

using Json = nlohmann::json;
using support::Headers;
using support::HttpReply;

constexpr const char* list_path = "/webapi/v2/conversations";

/// An id as a path segment, with everything escaped that a client could escape.
inline std::string escaped(std::string_view id)
{
    std::string out;
    for (const char c : id) {
        if (c == '/')
            out += "%2F";
        else if (c == '+')
            out += "%2B";
        else if (c == '=')
            out += "%3d";
        else
            out.push_back(c);
    }
    return out;
}

inline std::string path_of(std::string_view id, std::string_view rest = "")
{
    return std::string{list_path} + '/' + escaped(id) + std::string{rest};
}

struct Visitor {
    Sandbox sandbox;
    support::HttpConnection connection{sandbox.port()};

    explicit Visitor(Options options = {}) : sandbox(std::move(options)) {}

    HttpReply send(std::string_view method, const std::string& target, const Json& body = nullptr)
    {
        return connection.send(method, target, support::sandbox_key(), body.is_null() ? "" : body.dump());
    }

    Json get(const std::string& target)
    {
        const HttpReply reply = send("GET", target);
        EXPECT_EQ(reply.status, 200) << target << '\n' << reply.body << reply.error;
        Json json = Json::parse(reply.body, nullptr, false);
        EXPECT_FALSE(json.is_discarded()) << target;
        return json;
    }

    std::string category_id(const std::string& name)
    {
        const Json answer = get("/webapi/v2/conversation_categories");
        for (const Json& one : answer.at("categories"))
            if (one.at("name") == name) return one.at("categoryId");
        ADD_FAILURE() << "there is no category " << name;
        return "";
    }

    int status(const std::string& target) { return send("GET", target).status; }

    /// Every item of a list, all pages together.
    std::vector<Json> walk(const std::string& query, std::size_t* pages = nullptr)
    {
        std::vector<Json> items;
        std::string cursor;
        for (int page = 0; page < 2000; ++page) {
            const Json answer = get(std::string{list_path} + '?' + query + (cursor.empty() ? "" : "&cursor=" + cursor));
            if (!answer.is_object()) break;
            if (pages != nullptr) ++*pages;
            for (const Json& item : answer.at("conversations")) items.push_back(item);
            if (answer.at("cursor").is_null()) return items;
            cursor = answer.at("cursor").get<std::string>();
        }
        ADD_FAILURE() << "the list has no end";
        return items;
    }
};

inline std::vector<std::string> ids_of(const std::vector<Json>& items)
{
    std::vector<std::string> ids;
    for (const Json& item : items) ids.push_back(item.at("id"));
    return ids;
}

} // namespace alli::sandbox
