// SPDX-License-Identifier: Apache-2.0
// A few messages and a query, parted by 0x1e: the search finds exactly the messages that a plain scan finds, whatever
// was typed, in both orders; and once they are removed, none.
#include "cache/conversations.hpp"
#include "cache/db/migrate.hpp"
#include "cache/search/index.hpp"
#include "cache/search/query_parser.hpp"
#include "cache/search/search.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/support/make.hpp"

#include <algorithm>
#include <set>

using namespace alli;
using namespace alli::cache;

namespace {

constexpr std::size_t most_messages = 8;
constexpr std::int64_t first_second = 1'000'000'000;
const ConversationId conversation{"c"};

Writer& mirror()
{
    static Writer db(":memory:");
    static const bool made = [] {
        migrate(db, mirror_schema);
        check_index(db);
        return true;
    }();
    fuzz::require(made, "there is a mirror");
    return db;
}

std::vector<std::string_view> split(std::string_view text)
{
    std::vector<std::string_view> parts;
    for (std::size_t end; (end = text.find('\x1e')) != text.npos && parts.size() < most_messages;
         text.remove_prefix(end + 1))
        parts.push_back(text.substr(0, end));
    parts.push_back(text);
    return parts;
}

Chat chat_of(std::string_view message, int n)
{
    nlohmann::json json = support::chat_json("c", n, first_second + n / 2, ""); // two a second
    json["message"] = message;
    TimeUnit unit = TimeUnit::seconds;
    return read_chat(json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), unit);
}

std::vector<Chat> put(Writer& db, const std::vector<std::string_view>& messages)
{
    std::vector<Chat> chats;
    for (const std::string_view message : messages) chats.push_back(chat_of(message, static_cast<int>(chats.size())));
    put_conversation(db, support::make_conversation("c", first_second + 100, {{"title", ""}}));
    put_chats(db, conversation, 0, chats);
    db.words().flush(db);
    return chats;
}

bool stands_in(const ParsedQuery& parsed, const Chat& chat)
{
    const std::vector<PhraseToken> tokens = tokens_of(words_of_chat(chat.raw).text);
    return std::all_of(parsed.clauses.begin(), parsed.clauses.end(), [&](const Clause& clause) {
        const bool any = std::any_of(clause.any.begin(), clause.any.end(),
                                     [&](const Phrase& phrase) { return holds(tokens, phrase); });
        return any != clause.negated;
    });
}

std::set<std::string> found(Writer& db, std::string_view text, SearchSort sort)
{
    SearchQuery query;
    query.text = text;
    query.sort = sort;
    query.limit = 1000;
    std::set<std::string> ids;
    for (const SearchHit& hit : search(db, query).hits)
        if (hit.chat_id) ids.insert(*hit.chat_id);
    return ids;
}

void check(Writer& db, const std::vector<Chat>& chats, std::string_view text)
{
    const ParsedQuery parsed = parse_search_query(text);
    const std::set<std::string> newest = found(db, text, SearchSort::newest);
    fuzz::require(newest == found(db, text, SearchSort::relevance), "both orders show the same");
    if (parsed.empty()) fuzz::require(newest.empty(), "nothing asked, nothing found");
    if (parsed.empty() || !parsed.filters.empty()) return;
    std::set<std::string> wanted;
    for (const Chat& chat : chats)
        if (stands_in(parsed, chat)) wanted.insert(chat.id.value);
    if (newest != wanted)
        std::fprintf(stderr, "%zu messages: the query %.*s finds [%s], a scan [%s]\n", chats.size(),
                     static_cast<int>(text.size()), text.data(), fmt::format("{}", fmt::join(newest, " ")).c_str(),
                     fmt::format("{}", fmt::join(wanted, " ")).c_str());
    fuzz::require(newest == wanted, "a search finds what a scan finds");
}

void remove_all(Writer& db)
{
    erase_conversation(db, conversation);
    db.words().flush(db);
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Writer& db = mirror();
    std::vector<std::string_view> parts = split(fuzz::text_of(data, size));
    const std::string_view text = parts.back();
    parts.pop_back();
    db.script("BEGIN");
    const std::vector<Chat> chats = put(db, parts);
    check(db, chats, text);
    remove_all(db);
    check(db, {}, text);
    db.roll_back();
    return 0;
}
