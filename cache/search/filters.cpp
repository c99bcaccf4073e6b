// SPDX-License-Identifier: Apache-2.0
#include "cache/search/filters.hpp"

#include "cache/chats/facts.hpp"
#include "cache/search/chat_marks.hpp"
#include "cache/search/known_values.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

using Keys = std::vector<std::int64_t>; // ascending, each once
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t few_chats = 20'000; // that are looked up beforehand; of more each hit is looked at

void append_keys(Keys& keys, Rows&& rows)
{
    while (rows.step()) keys.push_back(rows.row().integer(0));
}

void append_named_user(Reader& db, Keys& keys, const std::string& name)
{
    const auto found = match_user_name(db, name);
    for (auto pk = found->seek(highest); pk; pk = found->seek(*pk - 1)) keys.push_back(*pk);
}

Keys keys_of_users(Reader& db, const Filters& filters)
{
    Keys keys;
    for (const std::string& user : filters.users)
        if (has_user_id(db, user, filters.visible))
            append_keys(keys, db.query("SELECT pk FROM conversation WHERE user_id = ?1", user));
        else
            append_named_user(db, keys, user);
    return keys;
}

void append_apps(Reader& db, Keys& keys, const std::string& app)
{
    for (const std::string& id : apps_meant(db, app))
        append_keys(keys, db.query("SELECT pk FROM conversation WHERE app_id = ?1", id));
}

void append_categories(Reader& db, Keys& keys, const std::string& category)
{
    for (const std::string& name : categories_meant(db, category))
        append_keys(keys, db.query("SELECT conversation FROM category WHERE name = ?1", name));
}

bool is_one_of(const std::vector<std::string>& names, std::string_view name)
{
    return std::find(names.begin(), names.end(), name) != names.end();
}

template <const auto& Fact>
void append_by_fact(Reader& db, Keys& keys, const std::string& wanted)
{
    for (const std::string& value : known_facts(db, Fact))
        if (folded(value) == folded(wanted))
            append_keys(
                keys,
                db.query(fmt::format("SELECT conversation FROM conversation_fact WHERE {0} = ?1 AND {0} <> ''", Fact),
                         value));
}
constexpr std::string_view state = "state", assignee = "assignee", channel = "channel";

void keep_common(std::optional<Keys>& left, Keys keys)
{
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    Keys both;
    if (left) std::set_intersection(left->begin(), left->end(), keys.begin(), keys.end(), std::back_inserter(both));
    left = left ? std::move(both) : std::move(keys);
}

/// The conversations that the filters of conversations leave; none: all.
std::optional<Keys> chosen(Reader& db, const Filters& filters)
{
    struct Kind {
        const std::vector<std::string>& values;
        void (*append)(Reader&, Keys&, const std::string&);
    };
    std::optional<Keys> left;
    if (!filters.visible.is_whole()) keep_common(left, visible_keys(db, filters.visible));
    if (!filters.users.empty()) keep_common(left, keys_of_users(db, filters));
    for (const Kind& kind :
         {Kind{filters.apps, &append_apps}, Kind{filters.categories, &append_categories},
          Kind{filters.states, &append_by_fact<state>}, Kind{filters.assignees, &append_by_fact<assignee>},
          Kind{filters.channels, &append_by_fact<channel>}}) {
        if (kind.values.empty()) continue;
        Keys keys;
        for (const std::string& value : kind.values) kind.append(db, keys, value);
        keep_common(left, std::move(keys));
    }
    return left;
}

/// Their chats, ascending; none when there are more than a few.
std::optional<Keys> chats_of(Reader& db, const Keys& conversations)
{
    Keys chats;
    for (const std::int64_t conversation : conversations) {
        append_keys(chats, db.query("SELECT pk FROM chat_row WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24",
                                    conversation));
        if (chats.size() > few_chats) return std::nullopt;
    }
    std::sort(chats.begin(), chats.end());
    return chats;
}

std::int64_t micros(Instant when)
{
    return when.time_since_epoch().count();
}

Postings join(Postings a, Postings b)
{
    std::vector<Postings> both;
    both.push_back(std::move(a)), both.push_back(std::move(b));
    return match_all(std::move(both));
}

std::int64_t second_of(Instant when)
{
    return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

// A chat's key is the second it was sent or a little later. It is far from it, to either side, where very many were
// sent at one time or a time changed since: those widen the bounds as far as they need.
constexpr std::string_view lowest_displaced =
    "SELECT min(pk) FROM chat_row INDEXED BY chat_displaced"
    " WHERE (sent_after >= 1000000 OR sent_after < -3600000000) AND pk < ?1 AND sent_at > ?2";
constexpr std::string_view highest_displaced =
    "SELECT max(pk) FROM chat_row INDEXED BY chat_displaced"
    " WHERE (sent_after >= 1000000 OR sent_after < -3600000000) AND pk > ?1 AND sent_at < ?2";

Postings bound_by_time(Reader& db, const Filters& filters, Postings chats)
{
    std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = highest;
    if (filters.after) {
        low = second_of(*filters.after);
        low = db.one<std::int64_t>(lowest_displaced, low, *filters.after).value_or(low);
    }
    if (filters.before) {
        high = second_of(*filters.before) + 3601;
        high = db.one<std::int64_t>(highest_displaced, high, *filters.before).value_or(high);
    }
    if (!filters.after && !filters.before) return chats;
    return match_between(std::move(chats), low, high);
}

// What has to be looked up of each hit.
Postings filter_one_by_one(Reader& db, const Filters& filters, std::optional<Keys> conversations, Postings chats)
{
    if (filters.senders.empty() && !filters.after && !filters.before && !conversations) return chats;
    std::vector<std::string> senders;
    for (const std::string& sender : filters.senders) senders.push_back(folded(sender));
    const auto holds = [&db, after = filters.after, before = filters.before, senders,
                        conversations = std::move(conversations)](std::int64_t pk) {
        Rows rows = db.query("SELECT place >> 24, sender, sent_at FROM chat_row WHERE pk = ?1", pk);
        if (!rows.step()) return false;
        const Row row = rows.row();
        const auto sent_at = row.optional_integer(2);
        return (!conversations || std::binary_search(conversations->begin(), conversations->end(), row.integer(0))) &&
               (!after || (sent_at && *sent_at > micros(*after))) &&
               (!before || (sent_at && *sent_at < micros(*before))) &&
               (senders.empty() || is_one_of(senders, folded(row.text(1))));
    };
    return match_where(std::move(chats), holds);
}

} // namespace

Postings match_user_name(Reader& db, const std::string& name)
{
    const Phrase phrase{tokens_of(name)};
    if (phrase.tokens.empty()) return match_these({});
    const std::string expression = phrase.is_letter() ? '"' + phrase.tokens[0].text + '"' : index_expression(phrase);
    return match_conversations(db, "user : " + expression, 1000);
}

Postings filter_chats(Reader& db, const Filters& filters, Postings chats, int lane)
{
    if (filters.empty() && filters.visible.is_whole()) return chats;
    std::optional<Keys> conversations = chosen(db, filters);
    if (conversations)
        if (auto few = chats_of(db, *conversations)) {
            chats = join(match_these(std::move(*few)), std::move(chats));
            conversations.reset();
        }
    chats = filter_marks(db, filters, std::move(chats), lane);
    chats = bound_by_time(db, filters, std::move(chats));
    return filter_one_by_one(db, filters, std::move(conversations), std::move(chats));
}

Postings filter_conversations(Reader& db, const Filters& filters, Postings conversations)
{
    if (auto left = chosen(db, filters)) conversations = join(match_these(std::move(*left)), std::move(conversations));
    if (!filters.after && !filters.before) return conversations;
    const auto holds = [&db, after = filters.after, before = filters.before](std::int64_t pk) {
        const auto when = db.one<Instant>("SELECT last_chat_at FROM conversation WHERE pk = ?1", pk);
        return when && (!after || *when > *after) && (!before || *when < *before);
    };
    return match_where(std::move(conversations), holds);
}

Postings filter_chatless(Reader& db, const Filters& filters)
{
    if (filters.empty() || filters.of_chats() || filters.after || filters.before) return nullptr;
    return match_where(match_these(chosen(db, filters).value_or(Keys())), [&db](std::int64_t pk) {
        return !db.exists("SELECT 1 FROM chat_row WHERE place >= ?1 << 24 AND place < (?1 + 1) << 24", pk);
    });
}

// ---- names that nobody bears

static std::vector<std::string> names_of_apps(Reader& db)
{
    std::vector<std::string> names;
    for (const KnownApp& app : known_apps(db)) names.push_back(app.name.empty() ? app.id : app.name);
    return names;
}

static std::vector<std::string> names_of_categories(Reader& db)
{
    auto names = db.all<std::string>("SELECT name FROM known_category");
    return names.empty() ? borne_categories(db) : names;
}

static bool is_known_user(Reader& db, const std::string& user)
{
    return has_user_id(db, user, {}) || match_user_name(db, user)->seek(highest).has_value();
}

static bool is_known_app(Reader& db, const std::string& app)
{
    return !apps_meant(db, app).empty();
}

static bool is_known_category(Reader& db, const std::string& category)
{
    const std::vector<std::string> wanted = names_of_category(db, category);
    if (wanted.size() > 1) return true; // the project has it
    return !categories_meant(db, category).empty();
}

template <const auto& Fact>
static bool is_known_fact(Reader& db, const std::string& value)
{
    if (find_fact_bound(db)) return true; // not known yet
    const std::vector<std::string> known = known_facts(db, Fact);
    return std::any_of(known.begin(), known.end(), [&](const auto& one) { return folded(one) == folded(value); });
}

template <const auto& Fact>
static std::vector<std::string> values_of(Reader& db)
{
    return known_facts(db, Fact);
}

static std::vector<std::string> too_many(Reader&)
{
    return {};
}

std::vector<UnknownFilter> find_unknown_names(Reader& db, const Filters& filters)
{
    struct Kind {
        std::string_view name;
        const std::vector<std::string>& values;
        bool (*knows)(Reader&, const std::string&);
        std::vector<std::string> (*valid)(Reader&);
    };
    constexpr std::size_t most = 50;
    std::vector<UnknownFilter> unknown;
    if (!filters.visible.is_whole()) return unknown;
    for (const Kind& kind : {Kind{"user", filters.users, &is_known_user, &too_many},
                             Kind{"app", filters.apps, &is_known_app, &names_of_apps},
                             Kind{"category", filters.categories, &is_known_category, &names_of_categories},
                             Kind{"state", filters.states, &is_known_fact<state>, &values_of<state>},
                             Kind{"assignee", filters.assignees, &is_known_fact<assignee>, &values_of<assignee>},
                             Kind{"channel", filters.channels, &is_known_fact<channel>, &values_of<channel>}})
        for (const std::string& value : kind.values) {
            if (kind.knows(db, value)) continue;
            std::vector<std::string> valid = kind.valid(db);
            if (valid.size() > most) valid.resize(most);
            unknown.push_back({std::string(kind.name), value, std::move(valid)});
        }
    return unknown;
}

} // namespace alli::cache
