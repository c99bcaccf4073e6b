// SPDX-License-Identifier: Apache-2.0
// Values on their way to PostgreSQL and back, in its binary format: parameters, arrays of them for unnest(), results.
// Pure but for the result's memory, which is libpq's.
#pragma once

#include "alli/instant.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

extern "C" struct pg_result;

namespace alli::cluster {

/// A parameter; none is NULL. The statement's own casts say its type.
using Param = std::optional<std::string>;

Param number_param(std::int64_t number);

/// The elements of one parameter of unnest(), whose type the constructor says.
class ArrayParam {
  public:
    enum class Type : std::uint32_t { boolean = 16, bytes = 17, number = 20, text = 25, time = 1184 };

    explicit ArrayParam(Type type);

    void add(std::string_view value);
    void add(const std::optional<std::string>& value) { value ? add(std::string_view(*value)) : add_null(); }
    void add(std::int64_t number);
    void add(const std::optional<std::int64_t>& number) { number ? add(*number) : add_null(); }
    void add(bool flag) { add(std::string_view(flag ? "\1" : "\0", 1)); }
    /// NULL where PostgreSQL's calendar does not reach.
    void add_time(const std::optional<Instant>& when);
    void add_null();

    Param take();

  private:
    std::string bytes_;
    std::uint32_t count_ = 0;
};

class Result {
  public:
    Result() = default;
    explicit Result(pg_result* owned) : result_(owned) {}

    int rows() const;
    bool is_null(int row, int column) const;
    std::string_view text(int row, int column) const; // of text and bytea
    std::int64_t number(int row, int column) const;   // of bigint
    bool flag(int row, int column) const;
    Instant time(int row, int column) const;

    std::optional<std::string> find_text(int row, int column) const;
    std::optional<std::int64_t> find_number(int row, int column) const;

  private:
    struct Clear {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Clear> result_;
};

} // namespace alli::cluster
