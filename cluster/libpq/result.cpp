// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/result.hpp"

#include "alli/error.hpp"

#include <boost/endian/conversion.hpp>

#include <libpq-fe.h>

#include <cassert>
#include <cstring>

namespace alli::cluster {
namespace {

constexpr std::int64_t epoch_us = 946'684'800'000'000;      // 2000-01-01
constexpr std::int64_t first_us = -210'866'803'200'000'000; // 4714-11-24 BC; there is no Instant after its last

template <class Number>
std::string big_endian(Number number)
{
    const Number turned = boost::endian::native_to_big(number);
    return {reinterpret_cast<const char*>(&turned), sizeof turned};
}

void put_length(std::string& bytes, std::size_t at, std::uint32_t number)
{
    const std::string turned = big_endian(number);
    bytes.replace(at, turned.size(), turned);
}

constexpr std::size_t flags_at = 4, count_at = 12;

} // namespace

Param number_param(std::int64_t number)
{
    return big_endian(number);
}

// One dimension, whether there are NULLs, type, count, first index: then length and bytes of each element.
ArrayParam::ArrayParam(Type type)
    : bytes_(big_endian<std::uint32_t>(1) + big_endian<std::uint32_t>(0) +
             big_endian(static_cast<std::uint32_t>(type)) + big_endian<std::uint32_t>(0) + big_endian<std::uint32_t>(1))
{}

void ArrayParam::add(std::string_view value)
{
    bytes_ += big_endian(static_cast<std::uint32_t>(value.size()));
    bytes_ += value;
    ++count_;
}

void ArrayParam::add(std::int64_t number)
{
    add(std::string_view(big_endian(number)));
}

void ArrayParam::add_time(const std::optional<Instant>& when)
{
    const std::int64_t us = when ? when->time_since_epoch().count() : first_us - 1;
    us < first_us ? add_null() : add(us - epoch_us);
}

void ArrayParam::add_null()
{
    bytes_ += big_endian<std::uint32_t>(~std::uint32_t{0});
    put_length(bytes_, flags_at, 1);
    ++count_;
}

Param ArrayParam::take()
{
    put_length(bytes_, count_at, count_);
    return std::move(bytes_);
}

void Result::Clear::operator()(pg_result* result) const
{
    PQclear(result);
}

int Result::rows() const
{
    return PQntuples(result_.get());
}

bool Result::is_null(int row, int column) const
{
    return PQgetisnull(result_.get(), row, column) != 0;
}

// A table that always has the row is empty for as long as a dump is put back into it.
std::string_view Result::text(int row, int column) const
{
    if (row >= rows())
        throw Error(Fault::unreachable, "is it being put back? then this ends with that",
                    "the cluster's database has lost a row that it always has");
    const int length = PQgetlength(result_.get(), row, column);
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(length)};
}

std::int64_t Result::number(int row, int column) const
{
    const std::string_view bytes = text(row, column);
    std::int64_t number = 0;
    assert(bytes.size() == sizeof number);
    std::memcpy(&number, bytes.data(), sizeof number);
    return boost::endian::big_to_native(number);
}

bool Result::flag(int row, int column) const
{
    return text(row, column) == std::string_view("\1", 1);
}

Instant Result::time(int row, int column) const
{
    return Instant(std::chrono::microseconds(number(row, column) + epoch_us));
}

std::optional<std::string> Result::find_text(int row, int column) const
{
    return is_null(row, column) ? std::nullopt : std::optional(std::string(text(row, column)));
}

std::optional<std::int64_t> Result::find_number(int row, int column) const
{
    return is_null(row, column) ? std::nullopt : std::optional(number(row, column));
}

} // namespace alli::cluster
