// SPDX-License-Identifier: Apache-2.0
// Conversations as upstream sends them, put into a mirror and changed at random, with what figures of them are by the
// plainest code there is.
#pragma once

#include "cache/insights/insights.hpp"
#include "cache/insights/rollup_days.hpp"
#include "cache/upkeep/purge.hpp"
#include "sandbox/dialogues.hpp"
#include "tests/cache/fixture.hpp"

#include <spdlog/fmt/fmt.h>

#include <map>
#include <random>
#include <set>

namespace alli::cache {

inline constexpr std::int64_t insight_start = 1'760'000'000; // seconds; a day in October 2025

struct InsightModel {
    nlohmann::json conversation;       // as upstream sends it
    std::vector<nlohmann::json> chats; // likewise
};

/// What figures are to be.
struct ModelCount {
    std::int64_t conversations = 0, messages = 0, good = 0, bad = 0, unrated = 0, without_citations = 0;
    std::int64_t questions = 0, bad_answers = 0; // bad answers: to a question
    std::vector<double> lengths, waits;
};

class InsightTest : public CacheTest {
  protected:
    using json = nlohmann::json;
    using Model = InsightModel;
    using Seconds = std::optional<std::int64_t>;

    void put(const Model& model)
    {
        TimeUnit unit = TimeUnit::seconds;
        std::vector<Chat> chats;
        for (const json& chat : model.chats) chats.push_back(read_chat(chat.dump(), unit));
        const Conversation conversation = read_conversation(model.conversation.dump(), unit);
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, chats);
        });
    }

    /// What a conversation is made of beside its chats.
    void draw_groups(json& c)
    {
        const std::int64_t app = below(5);
        c["user"] = {{"userId", "u" + std::to_string(below(5))}, {"firstName", below(2) == 0 ? "Mina" : "Yuki"}};
        if (app < 4) c["llmApp"] = {{"id", "a" + std::to_string(app)}, {"name", app % 2 == 0 ? "Booking" : "Help"}};
        if (below(2) == 0) c["channel"] = below(2) == 0 ? "WEB" : "KAKAO";
        c["categories"] = json::array();
        for (const char* name : {"x", "Refund"})
            if (below(3) == 0) c["categories"].push_back(name);
    }

    json draw_created() { return below(25) == 0 ? json(nullptr) : json(insight_start + below(20 * 86'400)); }

    Model make(int n)
    {
        const std::string id = "c" + std::to_string(n);
        Model model;
        const json created = draw_created();
        std::int64_t at = created.is_null() ? insight_start : created.get<std::int64_t>();
        const int count = static_cast<int>(below(9));
        for (int i = 0; i < count; ++i) {
            json chat = support::chat_json(id, i, at += 1 + below(400), std::string(below(90), 'x'));
            if (i % 2 == 1) {
                if (below(3) == 0) chat["rating"] = below(2) == 0;
                if (below(3) == 0) chat["citations"] = {{{"title", "t"}}};
            }
            if (below(30) == 0) chat.erase("timestamp");
            model.chats.push_back(chat);
        }
        json& c = model.conversation;
        c = {{"id", id}, {"title", id}, {"createdAt", created}, {"chats", json::array()}};
        c["lastChatTime"] = count > 0 ? json(at) : json(nullptr);
        draw_groups(c);
        return model;
    }

    /// As a conversation: when, of which app and whose is drawn.
    void put_dialogue(int n, const sandbox::Dialogue& dialogue)
    {
        Model model = make(n);
        model.chats.clear();
        const std::string id = model.conversation["id"];
        std::int64_t at = insight_start + below(20 * 86'400);
        model.conversation["createdAt"] = at;
        for (const sandbox::Turn& turn : dialogue.turns) {
            const int count = static_cast<int>(model.chats.size());
            json chat = support::chat_json(id, count, at += 1 + below(400), turn.text);
            chat["sender"] = turn.sender;
            if (turn.rating && turn.sender != "USER") chat["rating"] = *turn.rating;
            model.chats.push_back(chat);
        }
        model.conversation["lastChatTime"] = model.chats.empty() ? json(nullptr) : json(at);
        put(model);
        models_[id] = std::move(model);
    }

    /// Ratings, texts, the app, the user, categories and the creation change, the last chat goes or another one comes.
    void edit(Model& model)
    {
        for (const char* name : {"user", "llmApp", "channel", "categories"}) model.conversation.erase(name);
        draw_groups(model.conversation);
        if (below(4) == 0) model.conversation["createdAt"] = draw_created();
        for (json& chat : model.chats) {
            chat["message"] = std::string(static_cast<std::size_t>(below(90)), 'y');
            if (chat["sender"] != "USER") chat["rating"] = below(2) == 0;
        }
        if (model.chats.empty()) return;
        if (below(2) == 0) return model.chats.pop_back();
        const std::int64_t last = model.chats.back().value("timestamp", insight_start);
        const int count = static_cast<int>(model.chats.size());
        model.chats.push_back(support::chat_json(model.conversation["id"], count, last + 30, "more"));
    }

    /// Keeps the figures of so many days; false: all are kept.
    bool extend(int days = 1)
    {
        std::int64_t counted = 1;
        for (std::int64_t left = days; counted > 0 && left > 0; left -= counted)
            write([&](Writer& db) { counted = extend_rollups(db, left); });
        return counted > 0;
    }

    void add(int n)
    {
        Model model = make(n);
        put(model);
        models_["c" + std::to_string(n)] = std::move(model);
    }

    Model& any_model()
    {
        auto at = models_.begin();
        std::advance(at, below(std::ssize(models_)));
        return at->second;
    }

    void put_again(const Model& model)
    {
        put(model);
        write([&](Writer& db) { cut_chats(db, {model.conversation["id"]}, std::ssize(model.chats)); });
    }

    /// Some chats take place at another time, also before those that they follow; some were sent by somebody else.
    void move(Model& model)
    {
        for (json& chat : model.chats) {
            if (below(3) == 0) chat["timestamp"] = insight_start + below(20 * 86'400);
            if (below(5) == 0) chat["sender"] = below(2) == 0 ? "USER" : "AGENT";
        }
    }

    void change_something(int n)
    {
        const std::int64_t what = below(12);
        if (what < 5 || models_.size() < 5) return add(n);
        Model& model = any_model();
        const std::string id = model.conversation["id"];
        if (what < 8) return edit(model), put_again(model);
        if (what < 10) return move(model), put_again(model);
        if (what == 10) return write([&](Writer& db) { erase_conversation(db, {id}); }), void(models_.erase(id));
        PurgeOptions wish;
        wish.conversation = ConversationId{id};
        sync_wait(purge(*store_, wish, {}));
        models_.erase(id);
    }

    std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(random_()) % end; }

    Insights count(const InsightQuery& query = {})
    {
        return store_->read([&](Reader& db) { return count_insights(db, query); });
    }

    // ---- what is asked

    /// A range, a zone, a group and filters, each or none of them.
    InsightQuery draw_query()
    {
        InsightQuery query;
        query.zone = Zone::load(any_of({"UTC", "Asia/Seoul", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe",
                                        "America/St_Johns", "Europe/London", "Pacific/Marquesas"}));
        if (below(2) == 0) query.from = draw_bound(query.zone);
        if (below(2) == 0) query.to = draw_bound(query.zone);
        if (below(4) == 0) query.by = static_cast<InsightGroup>(below(5));
        while (below(3) == 0) query.apps.push_back(any_of({"a0", "a1", "booking", "Help", "a9", "none"}));
        while (below(3) == 0) query.users.push_back(any_of({"u0", "u1", "u4", "mina", "Yuki", "u9"}));
        while (below(3) == 0) query.categories.push_back(any_of({"x", "refund", "none"}));
        if (below(5) == 0) query.visible.app = any_of({"a0", "a2", "a9"});
        if (below(5) == 0) query.visible.user = any_of({"u0", "u2", "u9"});
        return query;
    }

    const char* any_of(std::initializer_list<const char*> names)
    {
        return names.begin()[below(static_cast<std::int64_t>(names.size()))];
    }

    /// A moment, the start of a quarter of an hour, or that of a day.
    Instant draw_bound(const Zone& zone)
    {
        const Instant when{std::chrono::seconds(insight_start - 86'400 + below(22 * 86'400)) +
                           std::chrono::microseconds(below(1'000'000))};
        const auto what = below(3);
        if (what == 0) return when;
        if (what == 1) return Instant(std::chrono::floor<Quarter>(when.time_since_epoch()));
        return zone.start_of(std::chrono::local_days{std::chrono::floor<std::chrono::days>(when).time_since_epoch()});
    }

    static std::string lower(std::string text)
    {
        std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
        return text;
    }

    bool is_id_of_user(const std::string& text) const
    {
        return std::any_of(models_.begin(), models_.end(),
                           [&](const auto& one) { return one.second.conversation["user"]["userId"] == text; });
    }

    static std::string app_of(const json& c, const char* field)
    {
        return c.contains("llmApp") ? c["llmApp"][field].get<std::string>() : std::string();
    }

    bool is_asked_for(const json& c, const InsightQuery& query) const
    {
        const auto any = [](const std::vector<std::string>& values, const auto& holds) {
            return values.empty() || std::any_of(values.begin(), values.end(), holds);
        };
        const json& user = c["user"];
        if (!query.visible.app.empty() && app_of(c, "id") != query.visible.app) return false;
        if (!query.visible.user.empty() && user["userId"] != query.visible.user) return false;
        return any(query.apps,
                   [&](const std::string& app) {
                       return c.contains("llmApp") &&
                              (app_of(c, "id") == app || lower(app_of(c, "name")) == lower(app));
                   }) &&
               any(query.users,
                   [&](const std::string& asked) {
                       return is_id_of_user(asked) ? user["userId"] == asked : lower(user["firstName"]) == lower(asked);
                   }) &&
               any(query.categories, [&](const std::string& category) {
                   const json& of = c["categories"];
                   return std::any_of(of.begin(), of.end(),
                                      [&](const json& it) { return lower(it) == lower(category); });
               });
    }

    // ---- what is to be answered

    using Group = std::pair<std::string, std::string>;

    /// The keys of the groups that a conversation is in, and of a time's day.
    static std::vector<Group> groups_of(const json& c, const Seconds& seconds, const InsightQuery& query)
    {
        std::vector<Group> groups{{"user", c["user"]["userId"]}};
        if (seconds) {
            const Instant when = support::at_second(*seconds);
            groups.emplace_back("day", to_rfc3339(when + query.zone.offset_at(when)).substr(0, 10));
        }
        if (c.contains("llmApp")) groups.emplace_back("app", c["llmApp"]["id"]);
        if (c.contains("channel")) groups.emplace_back("channel", c["channel"]);
        for (const json& name : c["categories"]) groups.emplace_back("category", name);
        if (query.by) std::erase_if(groups, [&](const Group& one) { return one.first != name_of(*query.by); });
        groups.emplace_back("", "");
        return groups;
    }

    static Seconds seconds_in(const json& of, const char* field)
    {
        return of.contains(field) && !of[field].is_null() ? Seconds(of[field].get<std::int64_t>()) : Seconds();
    }

    static bool is_in(const InsightQuery& query, const Seconds& seconds)
    {
        if (!seconds) return !query.from && !query.to;
        const Instant when = support::at_second(*seconds);
        return (!query.from || when >= *query.from) && (!query.to || when < *query.to);
    }

    using Counts = std::map<Group, ModelCount>;

    Counts brute(const InsightQuery& query) const
    {
        Counts counts;
        for (const auto& [id, model] : models_) {
            const json& c = model.conversation;
            if (!is_asked_for(c, query)) continue;
            const Seconds created = seconds_in(c, "createdAt");
            if (is_in(query, created))
                for (const Group& group : groups_of(c, created, query)) ++counts[group].conversations;
            std::optional<Seconds> asked;
            for (const json& chat : model.chats) {
                const Seconds at = seconds_in(chat, "timestamp");
                if (chat["sender"] == "USER") asked = at;
                if (!is_in(query, at)) continue;
                for (const Group& group : groups_of(c, at, query)) add(counts[group], chat, at, asked);
            }
        }
        return counts;
    }

    static std::ptrdiff_t characters_in(const std::string& text)
    {
        return std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xc0) != 0x80; });
    }

    static void add(ModelCount& count, const json& chat, const Seconds& at, const std::optional<Seconds>& asked)
    {
        ++count.messages;
        const bool rated = chat.contains("rating");
        if (rated) ++(chat["rating"] == true ? count.good : count.bad);
        if (chat["sender"] == "USER") return void(++count.questions);
        if (!rated) ++count.unrated;
        if (rated && chat["rating"] == false && asked) ++count.bad_answers;
        if (!chat.contains("citations")) ++count.without_citations;
        count.lengths.push_back(static_cast<double>(characters_in(chat["message"])));
        if (asked && *asked && at && *at >= **asked) count.waits.push_back(static_cast<double>(*at - **asked));
    }

    static void expect_median(const std::optional<double>& median, std::vector<double> values, const std::string& where)
    {
        ASSERT_EQ(median.has_value(), !values.empty()) << where;
        if (values.empty()) return;
        std::sort(values.begin(), values.end());
        const double exact = values[(values.size() - 1) / 2];
        EXPECT_NEAR(*median, exact, exact * 0.05 + 0.5) << where;
    }

    static void expect_same(const Figures& figures, const ModelCount& exact, const std::string& where)
    {
        EXPECT_EQ(figures.conversations, exact.conversations) << where;
        EXPECT_EQ(figures.messages, exact.messages) << where;
        EXPECT_EQ(figures.good, exact.good) << where;
        EXPECT_EQ(figures.bad, exact.bad) << where;
        EXPECT_EQ(figures.unrated, exact.unrated) << where;
        EXPECT_EQ(figures.without_citations, exact.without_citations) << where;
        expect_median(figures.median_length, exact.lengths, where);
        expect_median(figures.median_answer_seconds, exact.waits, where);
    }

    static std::string say(const InsightQuery& query)
    {
        const auto bound = [](const std::optional<Instant>& when) { return when ? to_rfc3339(*when) : "-"; };
        return fmt::format("{} to {} {} by {} apps {} users {} categories {} seen {} {}", bound(query.from),
                           bound(query.to), query.zone.name(), query.by ? name_of(*query.by) : "-",
                           fmt::join(query.apps, ","), fmt::join(query.users, ","), fmt::join(query.categories, ","),
                           query.visible.app, query.visible.user);
    }

    void expect_exact(const InsightQuery& query)
    {
        SCOPED_TRACE(say(query));
        Counts exact = brute(query);
        const Insights found = count(query);
        const ModelCount total = exact[{"", ""}];
        expect_same(found.totals, total, "totals");
        constexpr std::int64_t sampled = 250;
        EXPECT_EQ(found.sampled_all, std::min(total.questions, sampled));
        EXPECT_EQ(found.sampled_bad, std::min(total.bad_answers, sampled));
        exact.erase({"", ""});
        for (const InsightRow& row : found.rows) {
            const Group key{name_of(row.by), row.key};
            ASSERT_TRUE(exact.contains(key)) << key.first << ' ' << key.second;
            expect_same(row.figures, exact[key], key.first + ' ' + key.second);
            exact.erase(key);
        }
        for (const auto& [group, figures] : exact) ADD_FAILURE() << group.first << ' ' << group.second << " is missing";
    }

    void expect_all_exact(int queries = 12)
    {
        expect_exact({});
        for (int n = 0; n < queries && !HasFailure(); ++n) expect_exact(draw_query());
    }

    std::mt19937 random_{26};
    std::map<std::string, Model> models_;
};

} // namespace alli::cache
