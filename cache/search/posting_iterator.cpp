// SPDX-License-Identifier: Apache-2.0
#include "cache/search/posting_iterator.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

using Row64 = std::optional<std::int64_t>;

/// A running statement that gives rowids downwards. What is near is stepped to, what is far is asked for again.
class Statement : public PostingIterator {
  public:
    Row64 seek(std::int64_t bound) final
    {
        if (!started_) restart(bound);
        for (int steps = 0; current_ && *current_ > bound; ++steps) {
            if (steps == near)
                restart(bound);
            else
                current_ = step();
        }
        return current_;
    }

  protected:
    virtual std::unique_ptr<Rows> ask(std::int64_t bound) = 0;

  private:
    static constexpr int near = 48; // rows that take about as long as asking again

    void restart(std::int64_t bound)
    {
        started_ = true;
        rows_.reset(); // before its statement runs again
        rows_ = ask(bound);
        current_ = step();
    }

    Row64 step() { return rows_->step() ? Row64(rows_->row().integer(0)) : std::nullopt; }

    std::unique_ptr<Rows> rows_;
    Row64 current_;
    bool started_ = false;
};

class Words final : public Statement {
  public:
    Words(Reader& db, std::string_view table, std::string expression, int serial)
        : db_(db),
          sql_(fmt::format("SELECT rowid FROM {0} WHERE {0} MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC -- {1}", table,
                           serial)),
          expression_(std::move(expression))
    {}

  private:
    std::unique_ptr<Rows> ask(std::int64_t bound) override
    {
        const std::array<Value, 2> values{expression_, bound};
        return std::unique_ptr<Rows>(new Rows(db_.query_values(sql_, values))); // of many phrases there are many
    }

    Reader& db_;
    std::string sql_, expression_;
};

class Selected final : public Statement {
  public:
    Selected(Reader& db, std::string_view sql, int serial) : db_(db), sql_(fmt::format("{} -- {}", sql, serial)) {}

  private:
    std::unique_ptr<Rows> ask(std::int64_t bound) override
    {
        const std::array<Value, 1> values{bound};
        return std::unique_ptr<Rows>(new Rows(db_.query_values(sql_, values)));
    }

    Reader& db_;
    std::string sql_;
};

class These final : public PostingIterator {
  public:
    explicit These(std::vector<std::int64_t> ascending) : rows_(std::move(ascending)) {}

    Row64 seek(std::int64_t bound) override
    {
        rows_.erase(std::upper_bound(rows_.begin(), rows_.end(), bound), rows_.end());
        return rows_.empty() ? std::nullopt : Row64(rows_.back());
    }

  private:
    std::vector<std::int64_t> rows_;
};

class All final : public PostingIterator {
  public:
    explicit All(std::vector<Postings> of) : of_(std::move(of)) {}

    Row64 seek(std::int64_t bound) override
    {
        for (std::size_t agree = 0, next = 0; agree < of_.size(); next = (next + 1) % of_.size()) {
            const Row64 found = of_[next]->seek(bound);
            if (!found) return std::nullopt;
            agree = *found == bound ? agree + 1 : 1;
            bound = *found;
        }
        return bound;
    }

  private:
    std::vector<Postings> of_;
};

class Any final : public PostingIterator {
  public:
    explicit Any(std::vector<Postings> of) : of_(std::move(of)) {}

    Row64 seek(std::int64_t bound) override
    {
        Row64 greatest;
        for (const Postings& matches : of_) greatest = std::max(greatest, matches->seek(bound));
        return greatest;
    }

  private:
    std::vector<Postings> of_;
};

class Where final : public PostingIterator {
  public:
    Where(Postings of, std::function<bool(std::int64_t)> holds) : of_(std::move(of)), holds_(std::move(holds)) {}

    Row64 seek(std::int64_t bound) override
    {
        if (last_ && *last_ <= bound) return last_;
        Row64 found = of_->seek(bound);
        while (found && !holds_(*found)) found = of_->seek(*found - 1);
        return last_ = found;
    }

  private:
    Postings of_;
    std::function<bool(std::int64_t)> holds_;
    Row64 last_; // not to be tested again
};

class Between final : public PostingIterator {
  public:
    Between(Postings of, std::int64_t low, std::int64_t high) : of_(std::move(of)), low_(low), high_(high) {}

    Row64 seek(std::int64_t bound) override
    {
        if (std::min(bound, high_) < low_) return std::nullopt;
        const Row64 found = of_->seek(std::min(bound, high_));
        return found && *found >= low_ ? found : std::nullopt;
    }

  private:
    Postings of_;
    std::int64_t low_, high_;
};

} // namespace

Postings match_words(Reader& db, std::string_view table, std::string expression, int serial)
{
    return std::make_unique<Words>(db, table, std::move(expression), serial);
}

Postings match_rows(Reader& db, std::string_view table, int serial)
{
    return match_statement(db, fmt::format("SELECT pk FROM {} WHERE pk <= ?1 ORDER BY pk DESC", table), serial);
}

Postings match_statement(Reader& db, std::string_view sql, int serial)
{
    return std::make_unique<Selected>(db, sql, serial);
}

Postings match_these(std::vector<std::int64_t> ascending)
{
    return std::make_unique<These>(std::move(ascending));
}

Postings match_all(std::vector<Postings> of)
{
    if (of.size() == 1) return std::move(of.front());
    return std::make_unique<All>(std::move(of));
}

Postings match_any(std::vector<Postings> of)
{
    if (of.size() == 1) return std::move(of.front());
    return std::make_unique<Any>(std::move(of));
}

Postings match_without(Postings of, Postings without)
{
    const std::shared_ptr<PostingIterator> never = std::move(without);
    return match_where(std::move(of), [never](std::int64_t row) { return never->seek(row) != row; });
}

Postings match_where(Postings of, std::function<bool(std::int64_t)> holds)
{
    return std::make_unique<Where>(std::move(of), std::move(holds));
}

Postings match_between(Postings of, std::int64_t low, std::int64_t high)
{
    return std::make_unique<Between>(std::move(of), low, high);
}

} // namespace alli::cache
