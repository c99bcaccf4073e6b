// SPDX-License-Identifier: Apache-2.0
#include "cache/search/filters.hpp"

#include <simdjson.h>

#include <algorithm>
#include <limits>

namespace alli::cache {
namespace {

using Keys = std::vector<std::int64_t>; // ascending, each once
constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t few_chats = 20'000; // that are looked up beforehand; of more each hit is looked at

std::string folded(std::string_view text)
{
    std::string out;
    Normalizer letters(text);
    Letter letter;
    while (letters.next(letter)) append_utf8(out, letter.code);
    return out;
}

void append_keys(Keys& keys, Rows&& rows)
{
    while (rows.step()) keys.push_back(rows.row().integer(0));
}

void append_named_user(Reader& db, Keys& keys, const std::string& name)
{
    const Phrase phrase{tokens_of(name)};
    if (phrase.tokens.empty()) return;
    const std::string expression = phrase.is_letter() ? '"' + phrase.tokens[0].text + '"' : index_expression(phrase);
    const auto found = match_conversations(db, "user : " + expression, 1000);
    for (auto pk = found->seek(highest); pk; pk = found->seek(*pk - 1)) keys.push_back(*pk);
}

void append_users(Reader& db, Keys& keys, const std::string& user)
{
    const std::size_t before = keys.size();
    append_keys(keys, db.query("SELECT pk FROM conversation WHERE user_id = ?1", user));
    if (keys.size() == before) append_named_user(db, keys, user);
}

std::string app_name(std::string_view raw_conversation)
{
    thread_local simdjson::dom::parser parser;
    std::string_view name;
    simdjson::dom::element root;
    if (parser.parse(raw_conversation.data(), raw_conversation.size()).get(root) != simdjson::SUCCESS) return {};
    return root["llmApp"]["name"].get(name) == simdjson::SUCCESS ? std::string(name) : std::string();
}

// Apps are few: from each id to the next one, by the index.
void append_apps(Reader& db, Keys& keys, const std::string& app)
{
    const std::string wanted = folded(app);
    std::optional<std::string> id = "";
    for (;;) {
        Rows next = db.query("SELECT app_id, raw FROM conversation WHERE app_id > ?1 ORDER BY app_id LIMIT 1", *id);
        if (!next.step()) return;
        id = std::string(next.row().text(0));
        if (*id == app || folded(app_name(next.row().text(1))) == wanted)
            append_keys(keys, db.query("SELECT pk FROM conversation WHERE app_id = ?1", *id));
    }
}

// A category is meant by its id or its name, and a conversation bears either.
std::vector<std::string> folded_names_of(Reader& db, const std::string& category)
{
    std::vector<std::string> names{folded(category)};
    for (const Row row : db.query("SELECT id, name FROM known_category")) {
        const std::string id = folded(row.text(0)), name = folded(row.text(1));
        if (id != names.front() && name != names.front()) continue;
        names.push_back(id);
        names.push_back(name);
    }
    return names;
}

void append_categories(Reader& db, Keys& keys, const std::string& category)
{
    const std::vector<std::string> wanted = folded_names_of(db, category);
    auto name = db.one<std::string>("SELECT min(name) FROM category");
    while (name) {
        if (std::find(wanted.begin(), wanted.end(), folded(*name)) != wanted.end())
            append_keys(keys, db.query("SELECT conversation FROM category WHERE name = ?1", *name));
        name = db.one<std::string>("SELECT min(name) FROM category WHERE name > ?1", *name);
    }
}

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
    for (const Kind& kind : {Kind{filters.users, &append_users}, Kind{filters.apps, &append_apps},
                             Kind{filters.categories, &append_categories}}) {
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

bool is_one_of(const std::vector<std::string>& names, std::string_view name)
{
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& it) { return it == name; });
}

Postings join(Postings a, Postings b)
{
    std::vector<Postings> both;
    both.push_back(std::move(a)), both.push_back(std::move(b));
    return match_all(std::move(both));
}

// A chat's key is the second it was sent or a later one: much later only where very many were sent at one time.
Postings bound_by_time(Reader& db, const Filters& filters, Postings chats)
{
    using std::chrono::floor, std::chrono::seconds;
    if (!filters.after && !filters.before) return chats;
    std::int64_t low = std::numeric_limits<std::int64_t>::min(), high = highest;
    if (filters.after) low = floor<seconds>(*filters.after).time_since_epoch().count();
    const bool displaced =
        db.exists("SELECT 1 FROM chat_row INDEXED BY chat_displaced WHERE pk > sent_at / 1000000 + 3600 LIMIT 1");
    if (filters.before && !displaced) high = floor<seconds>(*filters.before).time_since_epoch().count() + 3601;
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

Postings filter_chats(Reader& db, const Filters& filters, Postings chats)
{
    if (filters.empty() && filters.visible.is_whole()) return chats;
    std::optional<Keys> conversations = chosen(db, filters);
    if (conversations)
        if (auto few = chats_of(db, *conversations)) {
            chats = join(match_these(std::move(*few)), std::move(chats));
            conversations.reset();
        }
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

} // namespace alli::cache
