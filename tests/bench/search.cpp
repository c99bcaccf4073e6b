// SPDX-License-Identifier: Apache-2.0
// Search over many chats: how fast the index grows, how large it is and how long a query takes, beside SQLite's own
// tokenizers over the same texts. search_bench [CHATS [CORPUS.jsonl.gz]]
#include "cache/search/search.hpp"
#include "alli/sync_wait.hpp"
#include "cache/conversations.hpp"
#include "cache/store.hpp"
#include "tests/bench/filling.hpp"
#include "tests/support/make.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>

namespace {

using namespace alli;
using bench::cpu_seconds;

constexpr int chats_a_conversation = 10, batch = 5000, queries = 200;
constexpr unsigned seed = 11;

/// One index over the texts, alone in its file.
class Index {
  public:
    Index(std::string name, const support::TempDir& dir, const std::vector<std::string>& tokenizers)
        : name_(std::move(name)), path_(dir / (name_ + ".db")), db_(std::make_unique<cache::Writer>(path_))
    {
        for (std::size_t n = 0; n < tokenizers.size(); ++n)
            db_->script(fmt::format("CREATE VIRTUAL TABLE words{} USING fts5 (text, content = '', columnsize = 0, {})",
                                    n, tokenizers[n]));
        tables_ = tokenizers.size();
    }

    void fill(const std::vector<std::string>& texts, int chats)
    {
        const double start = cpu_seconds();
        for (int from = 0; from < chats; from += batch) {
            db_->script("BEGIN");
            for (int n = from; n < std::min(from + batch, chats); ++n)
                for (std::size_t table = 0; table < tables_; ++table)
                    db_->run(fmt::format("INSERT INTO words{} (rowid, text) VALUES (?1, ?2)", table), n + 1,
                             texts[static_cast<std::size_t>(n) % texts.size()]);
            db_->script("COMMIT");
            db_->checkpoint(cache::Writer::Checkpoint::passive);
        }
        per_second_ = chats / (cpu_seconds() - start);
        db_->checkpoint(cache::Writer::Checkpoint::truncate);
    }

    /// Pages in use; what a merge of all parts leaves, as the daily cleaning makes it, is the size that lasts.
    double megabytes()
    {
        return static_cast<double>((number("PRAGMA page_count") - number("PRAGMA freelist_count")) * 4096) / 1e6;
    }

    void merge()
    {
        for (std::size_t table = 0; table < tables_; ++table)
            db_->script(fmt::format("INSERT INTO words{0} (words{0}) VALUES ('optimize')", table));
    }

    double per_second() const { return per_second_; }
    const std::string& name() const { return name_; }

    std::int64_t count(const std::string& term)
    {
        for (const cache::Row row : db_->query("SELECT count(*) FROM words0 WHERE words0 MATCH ?1", '"' + term + '"'))
            return row.integer(0);
        return 0;
    }

  private:
    std::int64_t number(std::string_view sql)
    {
        for (const cache::Row row : db_->query(sql)) return row.integer(0);
        return 0;
    }

    std::string name_, path_;
    std::unique_ptr<cache::Writer> db_;
    std::size_t tables_ = 0;
    double per_second_ = 0;
};

void put_conversations(cache::Writer& db, const std::vector<std::string>& texts, int from, int to)
{
    for (int at = from; at < to; at += chats_a_conversation) {
        const std::string id = "c" + std::to_string(at);
        const std::int64_t last = 1'700'000'000 - std::int64_t{at}; // newest first, as a backfill comes
        std::vector<Chat> chats;
        for (int n = 0; n < std::min(chats_a_conversation, to - at); ++n)
            chats.push_back(support::make_chat(id, n, last - chats_a_conversation + 1 + n,
                                               texts[static_cast<std::size_t>(at + n) % texts.size()]));
        const Conversation made = support::make_conversation(id, last);
        cache::put_conversation(db, made);
        cache::put_chats(db, made.id, 0, chats);
    }
}

void fill(cache::Store& store, const std::vector<std::string>& texts, int chats)
{
    for (int from = 0; from < chats; from += batch) {
        auto job = [&texts, from, chats](cache::Writer& db) {
            put_conversations(db, texts, from, std::min(from + batch, chats));
        };
        sync_wait(store.write(job));
    }
}

bool starts_letter(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

bool is_wide(char byte)
{
    const auto first = static_cast<unsigned char>(byte);
    return first >= 0xE3 && first <= 0xED; // kana, Han and Hangul; a number of wide digits is one word
}

/// Two or three neighbouring letters of a script without spaces, or a word, as it stands in a text.
std::string draw_term(const std::vector<std::string>& texts, std::mt19937& random)
{
    for (;;) {
        const std::string& text = texts[random() % texts.size()];
        if (text.size() < 12) continue;
        std::size_t from = random() % (text.size() - 9);
        while (from > 0 && !starts_letter(text[from])) --from;
        std::size_t to = from;
        if (is_wide(text[from])) {
            const std::size_t letters = 2 + random() % 2;
            for (std::size_t n = 0; n < letters && to < text.size() && is_wide(text[to]); ++n) to += 3;
            if (to - from == 3 * letters && text.find("\xE3\x80", from) >= to) return text.substr(from, to - from);
        } else if (std::isalpha(static_cast<unsigned char>(text[from]))) {
            while (from > 0 && std::isalpha(static_cast<unsigned char>(text[from - 1]))) --from;
            while (to < text.size() && std::isalpha(static_cast<unsigned char>(text[to]))) ++to;
            if (to - from > 3) return text.substr(from, to - from);
        }
    }
}

struct Asked {
    std::string term;
    std::int64_t total = 0;
    bool exact = true;
};

double percentile(std::vector<double> times, double part)
{
    if (times.empty()) return 0;
    std::sort(times.begin(), times.end());
    return times[static_cast<std::size_t>(part * static_cast<double>(times.size() - 1))];
}

std::vector<Asked> measure(cache::Store& store, const std::vector<std::string>& terms, cache::SearchSort sort,
                           std::int64_t most, std::string_view name)
{
    std::vector<double> times;
    std::vector<Asked> asked;
    for (const std::string& term : terms) {
        cache::SearchQuery query;
        query.text = '"' + term + '"';
        query.sort = sort;
        const auto start = std::chrono::steady_clock::now();
        const auto found = store.read([&](cache::Reader& db) { return cache::search(db, query); });
        const double took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
        asked.push_back({term, found.total, found.total_exact});
        if (found.total_exact ? found.total < most : most > 10'000) times.push_back(took);
    }
    fmt::print("{:<34} {:4} queries  median {:6.2f} ms  p95 {:6.2f} ms  worst {:6.2f} ms\n", name, times.size(),
               percentile(times, 0.5), percentile(times, 0.95), percentile(times, 1));
    return asked;
}

/// Of the chats that hold a term somewhere, the part that an index finds.
void print_recall(const std::vector<Asked>& asked, const std::vector<std::string>& texts, int chats,
                  std::vector<std::unique_ptr<Index>>& rivals)
{
    double truth = 0, ours = 0;
    std::vector<double> theirs(rivals.size());
    for (const Asked& one : asked) {
        if (!one.exact || !is_wide(one.term.front())) continue;
        double there = 0;
        for (int n = 0; n < chats; ++n)
            there += texts[static_cast<std::size_t>(n) % texts.size()].find(one.term) != std::string::npos;
        truth += there;
        ours += std::min(there, static_cast<double>(one.total));
        for (std::size_t i = 0; i < rivals.size(); ++i)
            theirs[i] += std::min(there, static_cast<double>(rivals[i]->count(one.term)));
    }
    if (truth == 0) return;
    fmt::print("chats with two or three letters of Korean, Japanese or Chinese that are found: ours {:.3f}",
               ours / truth);
    for (std::size_t i = 0; i < rivals.size(); ++i) fmt::print(", {} {:.3f}", rivals[i]->name(), theirs[i] / truth);
    fmt::print("\n");
}

} // namespace

int main(int count, char** words)
{
    const int chats = count > 1 ? std::max(std::atoi(words[1]), batch) : 200'000;
    const std::vector<std::string> texts = bench::load_texts(count > 2 ? words[2] : "", seed);
    const support::TempDir dir;
    fmt::print("{} chats from {} texts, seed {}\n", chats, texts.size(), seed);

    Index ours("ours", dir, {"tokenize = 'alli'", "detail = none, tokenize = 'alli letters'"});
    std::vector<std::unique_ptr<Index>> rivals;
    rivals.push_back(std::make_unique<Index>("unicode61", dir, std::vector<std::string>{"tokenize = 'unicode61'"}));
    rivals.push_back(std::make_unique<Index>("trigram", dir, std::vector<std::string>{"tokenize = 'trigram'"}));
    ours.fill(texts, chats);
    for (const auto& rival : rivals) rival->fill(texts, chats);
    const std::vector<Index*> all{&ours, rivals[0].get(), rivals[1].get()};
    std::vector<double> grown;
    for (Index* index : all) grown.push_back(index->megabytes()), index->merge();
    for (std::size_t i = 0; i < all.size(); ++i)
        fmt::print("{:<10} {:7.1f} MB as it grew ({:4.2f} of unicode61), {:7.1f} MB merged ({:4.2f});"
                   " {:7.0f} chats a second of processor time\n",
                   all[i]->name(), grown[i], grown[i] / grown[1], all[i]->megabytes(),
                   all[i]->megabytes() / all[1]->megabytes(), all[i]->per_second());

    cache::Store store({dir / "mirror.db", "http://127.0.0.1:1", false});
    const double start = cpu_seconds();
    fill(store, texts, chats);
    fmt::print("the mirror, rows and index: {:.0f} chats a second of processor time\n",
               chats / (cpu_seconds() - start));

    std::mt19937 random(seed);
    std::vector<std::string> terms;
    while (terms.size() < queries) terms.push_back(draw_term(texts, random));
    const auto asked = measure(store, terms, cache::SearchSort::newest, 1LL << 40, "newest first, a page of 20");
    measure(store, terms, cache::SearchSort::relevance, 20'000, "relevance, in under 10,001 chats");
    print_recall(asked, texts, chats, rivals);
}
