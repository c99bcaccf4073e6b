// SPDX-License-Identifier: Apache-2.0
// Upstream as a model in memory, behind the transport's interface: no socket, no thread, no time. What the contract
// leaves open is a member; what goes wrong is a function that a test sets.
#pragma once

#include "tests/support/make.hpp"
#include "upstream/http.hpp"

#include <map>

namespace alli::sync {

class Model final : public upstream::Transport {
  public:
    struct Entry {
        std::int64_t last = 0; // seconds; 0: no chat yet
        std::vector<nlohmann::json> chats;
        std::string title; // empty: "about " and the id
        std::int64_t created = 1;
    };

    std::map<std::string, Entry> conversations;
    bool position_cursor = false;
    bool inclusive = false;
    std::size_t embedded = 20;
    bool empty_pages = false;
    /// Where conversations without a chat stand in an order by last chat time: as if they were the oldest (MongoDB,
    /// MySQL), the newest (PostgreSQL), behind all others in both orders, nowhere, or by their creation.
    enum class Chatless { oldest, newest, behind, nowhere, by_creation };
    Chatless chatless = Chatless::behind;
    bool refuses_orders = false; // but the default
    bool sends_date = true;
    std::int64_t now = 1'000'000; // seconds, in the Date header
    /// Looked at before a request is answered; what it returns is the answer, what it throws is thrown.
    std::function<std::optional<upstream::Reply>(const upstream::Request&)> before;
    /// How long an answer is under way after it was made: what it says may be old when it comes.
    std::function<Task<>(const upstream::Request&)> carry;
    std::vector<std::string> targets; // of every request, in order

    /// Adds `count` chats, one a second, the last at `last`.
    void add(const std::string& id, std::int64_t last, int count)
    {
        Entry& entry = conversations[id];
        for (int n = 0; n < count; ++n) {
            const int ordinal = static_cast<int>(entry.chats.size());
            entry.chats.push_back(support::chat_json(id, ordinal, last - count + 1 + n, "words of " + id));
        }
        if (count > 0) entry.last = last;
    }

    Task<upstream::Reply> send(upstream::Request request) override
    {
        targets.push_back(request.target);
        if (before)
            if (auto reply = before(request)) co_return std::move(*reply);
        upstream::Reply made = answer(request.target);
        if (carry) co_await carry(request);
        co_return made;
    }

    /// What is answered when nothing goes wrong.
    upstream::Reply answer_of(const std::string& target) { return answer(target); }

    std::size_t lists() const
    {
        return static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [](const std::string& target) {
            return target.starts_with("/webapi/v2/conversations?") || target == "/webapi/v2/conversations";
        }));
    }

    std::size_t chat_pages() const
    {
        return static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), [](const std::string& target) {
            return target.find("/chats") != std::string::npos;
        }));
    }

  private:
    using Params = std::map<std::string, std::string>;

    static std::string decode(std::string_view text)
    {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '%')
                out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16)), i += 2;
            else
                out += text[i];
        }
        return out;
    }

    static Params params_of(std::string_view query)
    {
        Params params;
        while (!query.empty()) {
            const auto part = query.substr(0, query.find('&'));
            const auto equals = part.find('=');
            params[std::string(part.substr(0, equals))] = decode(part.substr(equals + 1));
            query.remove_prefix(std::min(query.size(), part.size() + 1));
        }
        return params;
    }

    upstream::Reply reply(const nlohmann::json& body) const
    {
        upstream::Reply made;
        made.status = 200;
        made.headers.add("Content-Type", "application/json");
        if (sends_date) made.headers.add("Date", to_http_date(support::at_second(now)));
        made.body = body.dump();
        return made;
    }

    upstream::Reply answer(const std::string& target)
    {
        const auto question = target.find('?');
        const std::string path = target.substr(0, question);
        const Params params =
            question == std::string::npos ? Params() : params_of(std::string_view(target).substr(question + 1));
        constexpr std::string_view root = "/webapi/v2/conversations";
        if (path == root && refuses_orders && params.contains("order")) return refusal();
        if (path == root) return list(params);
        if (!path.starts_with(root)) return gone();
        const std::string rest = path.substr(root.size() + 1);
        const std::string id = decode(rest.substr(0, rest.find('/')));
        const auto found = conversations.find(id);
        if (found == conversations.end()) return gone();
        if (rest.ends_with("/chats"))
            return chats(found->second, params.contains("pageNo") ? std::stoi(params.at("pageNo")) : 1);
        return reply(item(id, found->second, 20));
    }

    static upstream::Reply refusal()
    {
        upstream::Reply made;
        made.status = 400;
        made.body = R"({"type":"APIError","code":7003,"message":"no such order"})";
        return made;
    }

    static upstream::Reply gone()
    {
        upstream::Reply made;
        made.status = 404;
        made.body = R"({"type":"APIError","code":7003,"message":"no such conversation"})";
        return made;
    }

    static nlohmann::json item(const std::string& id, const Entry& entry, std::size_t most)
    {
        nlohmann::json made;
        made["id"] = id;
        made["title"] = entry.title.empty() ? "about " + id : entry.title;
        made["createdAt"] = entry.created;
        if (entry.last > 0)
            made["lastChatTime"] = entry.last;
        else
            made["lastChatTime"] = nullptr;
        made["chatCount"] = entry.chats.size();
        made["chats"] = nlohmann::json::array();
        for (std::size_t i = entry.chats.size() - std::min(most, entry.chats.size()); i < entry.chats.size(); ++i)
            made["chats"].push_back(entry.chats[i]);
        return made;
    }

    upstream::Reply chats(const Entry& entry, int page) const
    {
        nlohmann::json body;
        body["chats"] = nlohmann::json::array();
        for (std::size_t i = static_cast<std::size_t>(page - 1) * 100;
             i < std::min<std::size_t>(entry.chats.size(), static_cast<std::size_t>(page) * 100); ++i)
            body["chats"].push_back(entry.chats[i]);
        return reply(body);
    }

    using Place = std::pair<std::int64_t, std::string>; // a key that falls along the list, and the id

    static bool in(const Params& params, std::string_view order)
    {
        const auto found = params.find("order");
        return found != params.end() && found->second == order;
    }

    std::int64_t key_in_order(const Entry& entry, const Params& params) const
    {
        constexpr std::int64_t end = std::int64_t{1} << 40;
        if (in(params, "CREATED_AT_DESC")) return entry.created;
        const bool ascending = in(params, "LAST_CHAT_TIME_ASC");
        std::int64_t key = entry.last;
        if (key == 0 && chatless == Chatless::by_creation) key = entry.created;
        if (key == 0 && chatless == Chatless::newest) key = end;
        if (key == 0 && chatless == Chatless::oldest) key = -end;
        if (key == 0) return -end;
        return ascending ? -key : key;
    }

    std::vector<Place> window(const Params& params) const
    {
        const auto bound = [&](const char* name) {
            return params.contains(name) ? std::optional(std::stod(params.at(name))) : std::nullopt;
        };
        const auto from = bound("startedAt"), to = bound("endAt");
        const bool lists_chatless = chatless != Chatless::nowhere || in(params, "CREATED_AT_DESC");
        std::vector<Place> places;
        for (const auto& [id, entry] : conversations) {
            if ((from || to || !lists_chatless) && entry.last == 0) continue;
            const auto last = static_cast<double>(entry.last);
            if (from && (inclusive ? last < *from : last <= *from)) continue;
            if (to && (inclusive ? last > *to : last >= *to)) continue;
            places.emplace_back(key_in_order(entry, params), id);
        }
        std::sort(places.rbegin(), places.rend());
        return places;
    }

    upstream::Reply list(const Params& params)
    {
        const std::size_t size = params.contains("pageSize") ? std::stoul(params.at("pageSize")) : 50;
        const std::string cursor = params.contains("cursor") ? params.at("cursor") : "";
        const bool empty = empty_pages && !cursor.starts_with("e") && targets.size() % 3 == 0;
        const std::string begun = cursor.starts_with("e") ? cursor.substr(1) : cursor;
        const std::vector<Place> places = window(params);
        std::size_t at = 0;
        if (!begun.empty()) at = position_cursor ? std::stoul(begun) : after(places, begun);

        nlohmann::json body;
        body["conversations"] = nlohmann::json::array();
        body["cursor"] = nullptr;
        if (empty) {
            body["cursor"] = "e" + begun;
            return reply(body);
        }
        const std::size_t end = std::min(places.size(), at + size);
        for (; at < end; ++at) {
            const std::string& id = places[at].second;
            body["conversations"].push_back(item(id, conversations.at(id), embedded));
            if (params.contains("variables")) // the last that is asked for
                body["conversations"].back()["variables"][params.at("variables")] = "of " + id;
        }
        if (end < places.size()) body["cursor"] = position_cursor ? std::to_string(end) : key_of(places[end - 1]);
        return reply(body);
    }

    static std::string key_of(const Place& place) { return std::to_string(place.first) + ':' + place.second; }

    static std::size_t after(const std::vector<Place>& places, const std::string& key)
    {
        const auto colon = key.find(':');
        const Place last{std::stoll(key.substr(0, colon)), key.substr(colon + 1)};
        std::size_t at = 0;
        while (at < places.size() && places[at] >= last) ++at;
        return at;
    }
};

} // namespace alli::sync
