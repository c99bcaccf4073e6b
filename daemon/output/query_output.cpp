// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/query_output.hpp"

#include "alli/json_string.hpp"
#include "alli/printable.hpp"
#include "cache/export/export_format.hpp"
#include "daemon/output/display_width.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace alli::daemon {
namespace {

constexpr std::size_t widest = 60;

std::string hex_of(std::string_view bytes)
{
    std::string text = "x'";
    for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text + '\'';
}

std::string write_number(double number)
{
    const std::string text = fmt::format("{}", number);
    return std::isfinite(number) && text.find_first_of(".e") == text.npos ? text + ".0" : text;
}

struct TableCell {
    std::string operator()(std::monostate) const { return "NULL"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return write_number(number); }
    std::string operator()(const std::string& text) const { return cut_to_width(printable_line(text), widest); }
    std::string operator()(const cache::Blob& blob) const
    {
        return cut_to_width(hex_of(std::string_view(blob.bytes).substr(0, widest)), widest);
    }
};

struct CsvCell {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return write_number(number); }
    std::string operator()(const std::string& text) const { return text.empty() ? "\"\"" : cache::csv_field(text); }
    std::string operator()(const cache::Blob& blob) const { return hex_of(blob.bytes); }
};

struct JsonCell {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return std::isfinite(number) ? write_number(number) : "null"; }
    std::string operator()(const std::string& text) const { return quoted_text(text); }
    std::string operator()(const cache::Blob& blob) const { return quoted_text(hex_of(blob.bytes)); }
};

bool is_number(const cache::Cell& cell)
{
    return std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
}

class TableFormat final : public QueryFormat {
  public:
    explicit TableFormat(Sink sink) : sink_(std::move(sink)) {}

    void head(const std::vector<std::string>& columns) override
    {
        columns_.resize(columns.size());
        for (std::size_t at = 0; at < columns.size(); ++at) put(at, cut_to_width(printable_line(columns[at]), widest));
    }
    void row(std::span<const cache::Cell> row) override
    {
        for (std::size_t at = 0; at < row.size(); ++at) {
            const bool null = std::holds_alternative<std::monostate>(row[at]);
            columns_[at].numbers = columns_[at].numbers && (null || is_number(row[at]));
            put(at, std::visit(TableCell(), row[at]));
        }
    }
    void finish() override
    {
        const std::size_t rows = columns_.empty() ? 0 : columns_.front().cells.size();
        for (std::size_t n = 0; n < rows; ++n) {
            sink_(line(n));
            if (n == 0) sink_(rule());
        }
    }

  private:
    struct Column {
        std::vector<std::string> cells;
        std::size_t width = 0;
        bool numbers = true; // which stand at the right
    };

    void put(std::size_t column, std::string cell)
    {
        columns_[column].width = std::max(columns_[column].width, display_width(cell));
        columns_[column].cells.push_back(std::move(cell));
    }

    std::string line(std::size_t n) const
    {
        std::string text;
        for (const Column& column : columns_) {
            const std::string& cell = column.cells[n];
            const std::string blanks(column.width - display_width(cell), ' ');
            if (!text.empty() || &column != &columns_.front()) text += "  ";
            text += column.numbers ? blanks + cell : cell + blanks;
        }
        text.erase(text.find_last_not_of(' ') + 1);
        return text + '\n';
    }

    std::string rule() const
    {
        std::string text;
        for (const Column& column : columns_)
            text += (&column == &columns_.front() ? "" : "  ") + std::string(column.width, '-');
        return text + '\n';
    }

    Sink sink_;
    std::vector<Column> columns_;
};

class CsvFormat final : public QueryFormat {
  public:
    explicit CsvFormat(Sink sink) : sink_(std::move(sink)) {}

    void head(const std::vector<std::string>& columns) override
    {
        std::string line;
        for (const std::string& column : columns) line += cache::csv_field(column) + ',';
        end(line);
    }
    void row(std::span<const cache::Cell> row) override
    {
        std::string line;
        for (const cache::Cell& cell : row) line += std::visit(CsvCell(), cell) + ',';
        end(line);
    }
    void finish() override {}

  private:
    void end(std::string& line) const
    {
        line.back() = '\r';
        sink_(line += '\n');
    }

    Sink sink_;
};

class JsonFormat final : public QueryFormat {
  public:
    explicit JsonFormat(Sink sink) : sink_(std::move(sink)) {}

    void head(const std::vector<std::string>& columns) override
    {
        std::set<std::string> taken;
        for (const std::string& column : columns) {
            std::string name = column;
            for (int n = 1; !taken.insert(name).second; ++n) name = fmt::format("{}:{}", column, n);
            names_.push_back(quoted_text(name) + ':');
        }
        sink_("[");
    }
    void row(std::span<const cache::Cell> row) override
    {
        std::string line = std::exchange(first_, false) ? "\n{" : ",\n{";
        for (std::size_t at = 0; at < row.size(); ++at)
            line += (at > 0 ? "," : "") + names_[at] + std::visit(JsonCell(), row[at]);
        sink_(line + '}');
    }
    void finish() override { sink_("\n]\n"); }

  private:
    Sink sink_;
    std::vector<std::string> names_;
    bool first_ = true;
};

} // namespace

std::unique_ptr<QueryFormat> table_format(QueryFormat::Sink sink)
{
    return std::make_unique<TableFormat>(std::move(sink));
}

std::unique_ptr<QueryFormat> csv_format(QueryFormat::Sink sink)
{
    return std::make_unique<CsvFormat>(std::move(sink));
}

std::unique_ptr<QueryFormat> json_format(QueryFormat::Sink sink)
{
    return std::make_unique<JsonFormat>(std::move(sink));
}

} // namespace alli::daemon
