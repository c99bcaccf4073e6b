// SPDX-License-Identifier: Apache-2.0
#include "tests/scenario/comparison.hpp"

#include <spdlog/fmt/fmt.h>

#include <optional>
#include <stdexcept>

namespace alli::scenario {

using nlohmann::json;

namespace {

constexpr std::string_view root = "/webapi/v2/conversations";
constexpr std::size_t most_differences = 5;

/// A window that no conversation's time lies on the edge of: inclusive or not is upstream's to choose.
std::vector<std::string> windows(const std::vector<json>& items)
{
    std::vector<double> times;
    for (const json& item : items)
        if (item["lastChatTime"].is_number()) times.push_back(item["lastChatTime"].get<double>());
    if (times.size() < 8) return {};
    std::sort(times.begin(), times.end());
    const auto between = [&](std::size_t part) {
        std::size_t at = times.size() * part / 8;
        while (at + 1 < times.size() && times[at] == times[at + 1]) ++at;
        return fmt::format("{:.4f}", at + 1 < times.size() ? (times[at] + times[at + 1]) / 2 : times[at] + 1);
    };
    return {"startedAt=" + between(6), "startedAt=" + between(2) + "&endAt=" + between(4), "endAt=" + between(3),
            "firstChatStartedAt=" + between(5), "firstChatEndAt=" + between(2)};
}

/// By a category that upstream lists; none: it lists none. What conversations bear may be names, and no ids.
std::optional<std::string> category_query(std::uint16_t port)
{
    const auto reply = support::http(port, "GET", "/webapi/v2/conversation_categories", {{"API-KEY", "sandbox"}});
    const json listed = json::parse(reply.body, nullptr, false);
    if (reply.status != 200 || !listed.is_object() || listed.value("categories", json::array()).empty())
        return std::nullopt;
    return "categoryId=" + encode(listed["categories"][0]["categoryId"].get<std::string>());
}

std::vector<std::string> queries(const sandbox::Sandbox& upstream, const std::vector<json>& items)
{
    std::vector<std::string> found{"order=LAST_CHAT_TIME_ASC", "order=CREATED_AT_DESC", "order=CREATED_AT_ASC",
                                   "activeOnly=true", "activeOnly=false&order=CREATED_AT_ASC"};
    const auto users = upstream.user_ids();
    if (users.size() > 1) {
        found.push_back("userIds=" + encode(users[0]));
        found.push_back("userIds=" + encode(users[0]) + "&userIds=" + encode(users[1]) + "&order=LAST_CHAT_TIME_ASC");
    }
    for (const std::string& app : upstream.app_ids()) found.push_back("llmAppId=" + encode(app));
    if (auto category = category_query(upstream.port())) found.push_back(std::move(*category));
    for (std::string& window : windows(items)) found.push_back(std::move(window));
    return found;
}

/// Where two texts differ as JSON; empty when they do not.
std::string difference(const std::string& where, const std::string& expected, const std::string& found)
{
    if (expected == found) return "";
    const json patch = json::diff(json::parse(expected), json::parse(found));
    return patch.empty() ? "" : fmt::format("{}: {}", where, patch.front().dump().substr(0, 300));
}

std::string difference(const ListWalk& expected, const ListWalk& found)
{
    const std::string where = fmt::format("list?{} by {}", expected.query, expected.page_size);
    if (expected.pages.size() != found.pages.size())
        return fmt::format("{}: {} pages, not {}", where, found.pages.size(), expected.pages.size());
    for (std::size_t i = 0; i < expected.pages.size(); ++i)
        if (auto what = difference(where, expected.pages[i], found.pages[i]); !what.empty()) return what;
    return "";
}

/// {"conversations":[...],"cursor":...} taken apart without parsing the items.
std::pair<std::string, json> split_page(const std::string& body)
{
    const auto open = body.find('['), close = body.rfind(']');
    const auto cursor = body.find("\"cursor\"", close == std::string::npos ? 0 : close);
    if (!body.starts_with("{\"conversations\":[") || cursor == std::string::npos) {
        const json page = json::parse(body);
        return {page.at("conversations").dump(), page.at("cursor")};
    }
    return {body.substr(open, close + 1 - open), json::parse('{' + body.substr(cursor)).at("cursor")};
}

} // namespace

std::string encode(const std::string& id)
{
    std::string out;
    for (const char c : id) {
        if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' || c == '~')
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

Reader::Reader(std::uint16_t port) : port_(port), connection_(std::make_unique<support::HttpConnection>(port)) {}

std::string Reader::get(const std::string& target)
{
    support::HttpReply reply = connection_->send("GET", target);
    if (!reply.keep_alive) connection_ = std::make_unique<support::HttpConnection>(port_);
    if (reply.status == 0) reply = connection_->send("GET", target); // an idle connection may have been closed
    if (reply.status != 200)
        throw std::runtime_error(
            fmt::format("{}: {} {} {}", target, reply.status, reply.error, reply.body.substr(0, 300)));
    return reply.body;
}

ListWalk Reader::walk(const std::string& query, int page_size)
{
    ListWalk walk{query, page_size, {}};
    json cursor;
    do {
        std::string target = fmt::format("{}?{}{}pageSize={}", root, query, query.empty() ? "" : "&", page_size);
        if (cursor.is_string()) target += "&cursor=" + encode(cursor.get<std::string>());
        auto [items, next] = split_page(get(target));
        if (items != "[]") walk.pages.push_back(std::move(items));
        cursor = std::move(next);
    } while (cursor.is_string());
    return walk;
}

Truth::Truth(const sandbox::Sandbox& upstream, const std::vector<int>& page_sizes)
{
    Reader reader(upstream.port());
    for (const std::string& id : upstream.conversation_ids()) read_conversation(reader, id);
    read_lists(reader, upstream, page_sizes);
}

void Truth::read_conversation(Reader& reader, const std::string& id)
{
    ++conversations_;
    const std::string target = fmt::format("{}/{}", root, encode(id));
    answers_.emplace_back(target, reader.get(target));
    for (int page = 1;; ++page) {
        const std::string chats = fmt::format("{}/chats?pageNo={}", target, page);
        answers_.emplace_back(chats, reader.get(chats));
        const std::size_t count = json::parse(answers_.back().second)["chats"].size();
        chats_ += count;
        if (count < 100) return;
    }
}

void Truth::read_lists(Reader& reader, const sandbox::Sandbox& upstream, const std::vector<int>& page_sizes)
{
    std::vector<json> items;
    for (const int size : page_sizes) walks_.push_back(reader.walk("", size));
    for (const std::string& page : walks_.back().pages)
        for (json& item : json::parse(page)) items.push_back(std::move(item));
    for (const std::string& query : queries(upstream, items)) walks_.push_back(reader.walk(query, page_sizes.back()));
}

std::vector<std::string> Truth::differences(std::uint16_t port) const
{
    std::vector<std::string> found;
    Reader reader(port);
    const auto note = [&](std::string what) {
        if (!what.empty()) found.push_back(std::move(what));
        return found.size() < most_differences;
    };
    for (const auto& [target, body] : answers_)
        if (!note(difference(target, body, reader.get(target)))) return found;
    for (const ListWalk& walk : walks_)
        if (!note(difference(walk, reader.walk(walk.query, walk.page_size)))) return found;
    return found;
}

} // namespace alli::scenario
