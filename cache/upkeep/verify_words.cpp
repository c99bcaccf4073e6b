// SPDX-License-Identifier: Apache-2.0
#include "cache/upkeep/verify_words.hpp"

#include "alli/error.hpp"
#include "cache/search/index.hpp"

#include <array>
#include <numeric>
#include <utility>

namespace alli::cache {
namespace {

constexpr std::int64_t step_places = 500'000; // where terms stand: some tenths of a second

struct Indexed {
    const char* table;
    IndexKind kind;
    const char* count;
    bool keeps_places; // else a term counts once a row
};
constexpr auto tables = std::to_array<Indexed>({
    {"chat_words", IndexKind::chat, "SELECT count(*) FROM chat_row", true},
    {"chat_letters", IndexKind::chat, "SELECT count(*) FROM chat_row", false},
    {"conversation_words", IndexKind::conversation, "SELECT count(*) FROM conversation", true},
});

const Indexed& find_table(std::string_view name)
{
    for (const Indexed& one : tables)
        if (one.table == name) return one;
    throw std::logic_error("no table of the index");
}

// FTS5 keeps in its record 1 how many rows there are, then how many tokens of each column; those that stand in one
// place with another are not counted.
struct Sums {
    std::int64_t rows = 0, tokens = 0;
};
Sums load_sums(Connection& db, const std::string& table)
{
    std::vector<std::int64_t> numbers;
    std::int64_t number = 0;
    for (const Row row : db.query(fmt::format("SELECT block FROM {}_data WHERE id = 1", table)))
        for (const char c : row.text(0)) {
            number = number << 7 | (c & 0x7f);
            if ((c & 0x80) == 0) numbers.push_back(std::exchange(number, 0));
        }
    if (numbers.empty()) return {};
    return {numbers.front(), std::accumulate(numbers.begin() + 1, numbers.end(), std::int64_t{0})};
}

// What it throws of a damaged index, and of a damaged file too: that is no less a finding.
template <class F>
bool stays_whole(F work)
{
    try {
        work();
        return true;
    } catch (const Error& error) {
        if (error.fault() != Fault::unavailable && error.fault() != Fault::damaged) throw;
        return false;
    }
}

} // namespace

// While it is being made it holds less.
void WordsCheck::count(Reader& db)
{
    const Indexed& indexed = find_table(table_);
    if (find_index_bound(db, indexed.kind)) return;
    const auto rows = db.require<std::int64_t>(indexed.count);
    const Sums sums = load_sums(db, table_);
    said_ = sums.tokens;
    if (sums.rows != rows) note(fmt::format("{} holds {} rows of {}", table_, sums.rows, rows));
}

// By FTS5's own list of terms, which reads every page of the index without writing.
bool WordsCheck::read_some(Reader& db)
{
    db.script(fmt::format("CREATE VIRTUAL TABLE temp.terms USING fts5vocab('main', '{}', 'row')", table_));
    const bool keeps_places = find_table(table_).keeps_places;
    std::int64_t places = 0;
    for (const Row row : db.query_values(begun_ ? "SELECT term, doc, cnt FROM temp.terms WHERE term > ?1"
                                                : "SELECT term, doc, cnt FROM temp.terms WHERE ?1 = ''",
                                         std::array{Value{after_}})) {
        after_ = std::string(row.text(0)), begun_ = true;
        found_ += row.integer(keeps_places ? 2 : 1);
        places += row.integer(1) + row.integer(2);
        if (places >= step_places) return true;
    }
    return false;
}

bool WordsCheck::step(Reader& db)
{
    bool more = false;
    const bool first = !begun_;
    const bool whole = stays_whole([&] {
        if (first) count(db);
        more = read_some(db);
    });
    db.script("DROP TABLE IF EXISTS temp.terms");
    if (!whole) note(fmt::format("{} is damaged", table_));
    return more;
}

void WordsCheck::finish(bool still)
{
    const bool lacks = find_table(table_).keeps_places ? found_ < said_ : found_ == 0 && said_ > 0;
    if (still && lacks && findings_.empty()) note(fmt::format("{} finds {} places of {}", table_, found_, said_));
}

void WordsCheck::check_structure(Writer& db)
{
    if (!findings_.empty()) return;
    db.words().flush(db);
    if (!stays_whole([&] { db.run(fmt::format("INSERT INTO {0} ({0}) VALUES ('integrity-check')", table_)); }))
        note(fmt::format("{} is damaged", table_));
}

std::vector<WordsCheck> words_checks()
{
    std::vector<WordsCheck> checks;
    for (const Indexed& one : tables) checks.emplace_back(one.table);
    return checks;
}

} // namespace alli::cache
