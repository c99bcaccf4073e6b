// SPDX-License-Identifier: Apache-2.0
// Coverage that grows in random order, beside a model of upstream: whatever page is answered from the mirror is what
// upstream would answer (equal times in any order), and whoever walks on online meets every row once. ALLI_SEED repeats
// a run.
#include "cache/rows/categories.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/list_model.hpp"
#include "tests/support/draws.hpp"

#include <set>

namespace alli::proxy {
namespace {

using cache::ChatlessPlace;
using nlohmann::json;

constexpr std::int64_t top = 1000; // the boundary: all last chat times are below
constexpr std::string_view root = "/webapi/v2/conversations?pageSize=";

constexpr auto filters = std::to_array<std::string_view>(
    {"", "", "", "&userIds=u1", "&userIds=u0&userIds=u2", "&llmAppId=a1", "&categoryId=k1", "&activeOnly=true",
     "&searchTerm=about%20c1", "&userIds=u1&activeOnly=true", "&firstChatStartedAt=300", "&llmAppId=none"});
constexpr auto windows = std::to_array<std::string_view>(
    {"", "", "", "", "&startedAt=500", "&endAt=600", "&startedAt=250&endAt=760", "&startedAt=990", "&endAt=120"});
constexpr auto orders =
    std::to_array<std::string_view>({"", "", "", "", "&order=LAST_CHAT_TIME_DESC", "&order=LAST_CHAT_TIME_ASC",
                                     "&order=CREATED_AT_DESC", "&order=CREATED_AT_ASC"});

bool is_other_order(const std::string& list)
{
    return list.find("_ASC") != list.npos || list.find("CREATED") != list.npos;
}

class Decided : public ProxyTest, protected ::support::Draws {
  protected:
    // Times crowd: many are equal, and neighbours are a unit apart.
    void make_upstream()
    {
        constexpr std::array places{ChatlessPlace::first, ChatlessPlace::last, ChatlessPlace::nowhere};
        model_.places = {places[static_cast<std::size_t>(any(3))], places[static_cast<std::size_t>(any(3))]};
        model_.inclusive = any(2) == 0;
        model_.most_rows = any(3) == 0 ? 3 : 50;
        model_.salt = random_.next();
        const std::int64_t rows = 20 + any(40), chatless = any(6);
        for (std::int64_t n = 0; n < rows + chatless; ++n) {
            const std::int64_t when = n < chatless ? 0 : any(3) == 0 ? 100 * (1 + any(9)) + any(2) : 1 + any(top - 1);
            model_.rows.push_back({"c" + std::to_string(n), when, "u" + std::to_string(any(3)),
                                   "a" + std::to_string(any(2)), "k" + std::to_string(any(2)), any(2) == 0});
        }
        upstream_.body = [this](const std::string& target) { return model_.page(target); };
    }

    void begin()
    {
        write([](cache::Writer& db) {
            cache::Progress progress;
            progress.unit = TimeUnit::seconds;
            progress.boundary = support::at_second(top);
            progress.verified_at = support::at_second(1990);
            cache::save_progress(db, progress);
            const std::vector<Category> known{{"k0", "first"}, {"k1", "second"}};
            cache::put_category_list(db, "{}", known, support::at_second(1990));
        });
        Options options;
        options.loops = 1;
        start(options);
    }

    static void put_row(cache::Writer& db, const ModelRow& row)
    {
        TimeUnit unit = TimeUnit::seconds;
        const Conversation made = read_conversation(row.item().dump(), unit);
        cache::put_conversation(db, made);
        cache::put_chats(db, made.id, 0, made.chats);
    }

    void cover_some(cache::Writer& db)
    {
        const std::int64_t from = any(4) == 0 ? 0 : any(top), through = std::min(top, from + 1 + any(400));
        for (const ModelRow& row : model_.rows)
            if (row.when >= from && row.when < through && row.when > 0) put_row(db, row);
        const bool high = any(3) == 0;
        cache::cover(db, {support::at_second(from), support::at_second(high ? top : through), {}});
        std::fill(covered_.begin() + from, covered_.begin() + (high ? top : through), true);
        for (const ModelRow& row : model_.rows)
            if (high && row.when >= from) put_row(db, row);
    }

    // The places are known before the scan for those without a chat is through: it sees them.
    void scan(cache::Writer& db)
    {
        cache::ChatlessPlaces seen = model_.places;
        seen.front_clear = seen.newest_first != ChatlessPlace::first;
        if (seen.newest_first == ChatlessPlace::last && any(3) == 0) seen.newest_first = ChatlessPlace::unknown;
        cache::save_chatless_places(db, seen);
        learned_ = true;
        cache::Progress progress = cache::load_progress(db);
        if (any(2) == 0) {
            for (const ModelRow& row : model_.rows)
                if (row.when == 0) put_row(db, row);
            progress.chatless_at = progress.verified_at;
        }
        cache::save_progress(db, progress);
    }

    void lose_some(cache::Writer& db)
    {
        const std::int64_t from = any(top), through = any(2) == 0 ? top : std::min(top, from + 1 + any(50));
        cache::uncover(db, {support::at_second(from), support::at_second(through)});
        std::fill(covered_.begin() + from, covered_.begin() + through, false);
        if (any(2) == 0) return;
        cache::Progress progress = cache::load_progress(db);
        progress.chatless_at.reset();
        cache::save_progress(db, progress);
    }

    void grow()
    {
        write([&](cache::Writer& db) {
            const std::int64_t what = any(10);
            if (what < 7) cover_some(db);
            if (what == 7 || what == 8) scan(db);
            if (what == 9) lose_some(db);
        });
    }

    std::string some_list()
    {
        return std::string(root) + std::to_string(1 + any(9)) + one_of(filters) + one_of(windows) + one_of(orders);
    }

    // What upstream answers to the whole of it.
    ListModel::Rows truth(const std::string& list) const
    {
        cache::ListFilter filter = read_list_query(read_query(split_target(list).query), TimeUnit::seconds).filter;
        ListModel exclusive = model_; // as our own windows are
        exclusive.inclusive = false;
        std::set<std::string> ids;
        for (const ModelRow* row : exclusive.list(filter)) ids.insert(row->id);
        ListModel::Rows rows = model_.list(filter);
        std::erase_if(rows, [&](const ModelRow* row) { return !ids.contains(row->id); });
        return rows;
    }

    // Whether nothing that is missing can be in the first page; told from single seconds.
    bool must_hit(const std::string& list, const ListModel::Rows& rows) const
    {
        if (is_other_order(list)) return false;
        const ListQuery query = read_list_query(read_query(split_target(list).query), TimeUnit::seconds);
        const auto second = [](Instant when) { return when.time_since_epoch() / std::chrono::seconds(1); };
        const bool windowed = list.find("tartedAt") != list.npos || query.filter.end_at;
        const bool full = rows.size() >= static_cast<std::size_t>(query.page_size);
        const auto last = full ? rows[static_cast<std::size_t>(query.page_size) - 1]->when : 0;
        const bool nowhere = model_.places.newest_first == ChatlessPlace::nowhere;
        const bool behind = model_.places.newest_first == ChatlessPlace::last && last > 0;
        if (!windowed && !(learned_ && (nowhere || behind))) return false;
        const std::int64_t low = full ? last : second(query.filter.started_at.value_or(Instant{}));
        const std::int64_t high = query.filter.end_at ? second(*query.filter.end_at) : top;
        return std::all_of(covered_.begin() + low, covered_.begin() + high, [](bool covered) { return covered; });
    }

    /// From the first page to the end, or to the first that is no answer: the rows, in their order. Where the mirror
    /// does not answer, `online` says whether upstream does.
    void walk(const std::string& list, bool online);

    ListModel model_;
    std::vector<bool> covered_ = std::vector<bool>(static_cast<std::size_t>(top), false); // by second
    bool learned_ = false;
    int hits_ = 0, bridged_ = 0;
};

void Decided::walk(const std::string& list, bool online)
{
    SCOPED_TRACE(list + (online ? " online" : " offline"));
    upstream_.away = !online;
    const ListModel::Rows expected = truth(list);
    std::map<std::string, std::int64_t> times;
    for (const ModelRow* row : expected) times[row->id] = row->when;
    const bool sure = must_hit(list, expected);
    std::set<std::string> seen;
    std::string cursor;
    std::string trace;
    for (int page = 0; page < 200; ++page) {
        const auto reply = get(list + (cursor.empty() ? "" : "&cursor=" + cursor));
        const bool hit = reply.header("Cache-Status").find("hit") != std::string_view::npos;
        ASSERT_TRUE(hit || !sure || !cursor.empty()) << "the first page is decided: " << reply.body;
        // In other orders upstream cannot go on where a part was lost in between.
        const bool lost = reply.status == 504 && cursor.starts_with("am2.") && is_other_order(list);
        if (lost || (reply.status == 504 && !online)) return;
        ASSERT_EQ(reply.status, 200) << reply.body << trace;
        hits_ += hit;
        bridged_ += !hit && cursor.starts_with("am2.");
        trace += "\n" + std::string(reply.header("Cache-Status"));
        const json whole = json::parse(reply.body);
        const auto held = model_.inclusive && !hit; // upstream's own page may have the bounds
        for (const json& item : whole["conversations"]) {
            const std::string id = item["id"];
            trace += ' ' + id;
            if (held && !times.contains(id)) continue;
            ASSERT_TRUE(times.contains(id)) << id << trace;
            ASSERT_TRUE(seen.insert(id).second) << id << " comes again" << trace;
            ASSERT_EQ(times[id], expected[seen.size() - 1]->when) << id << " is out of order" << trace;
        }
        if (whole["cursor"].is_null()) {
            ASSERT_EQ(seen.size(), expected.size()) << "rows are missing" << trace;
            return;
        }
        cursor = whole["cursor"];
        if (any(6) == 0) grow();
    }
    FAIL() << "it does not end" << trace;
}

TEST_F(Decided, PagesAreWhatUpstreamAnswersWhateverIsCovered)
{
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    make_upstream();
    begin();
    for (int round = 0; round < 80 && !HasFatalFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        grow();
        for (int n = 0; n < 2 && !HasFatalFailure(); ++n) walk(some_list(), false);
        if (!HasFatalFailure()) walk(some_list(), true);
    }
    RecordProperty("hits", hits_);
    RecordProperty("bridged", bridged_);
    EXPECT_GT(hits_, 50) << "most of it went past the mirror";
}

} // namespace
} // namespace alli::proxy
