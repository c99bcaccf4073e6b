// SPDX-License-Identifier: Apache-2.0
#include "cache/db/free_space.hpp"

#include <array>
#include <atomic>

namespace alli::cache {
namespace {

constexpr std::array files{DataFile::outbox, DataFile::mirror};

std::array<std::atomic<std::int64_t>, files.size()> full_since_us{}; // 0: there is room

std::atomic<std::int64_t>& since_of(DataFile file) noexcept
{
    return full_since_us[static_cast<std::size_t>(file)];
}

} // namespace

void note_no_space(DataFile file, Instant since) noexcept
{
    std::int64_t none = 0; // where it has lasted already its beginning stays
    since_of(file).compare_exchange_strong(none, since.time_since_epoch().count());
}

void note_space(DataFile file) noexcept
{
    if (!has_room(file)) since_of(file).store(0);
}

bool has_room(DataFile file) noexcept
{
    return since_of(file).load(std::memory_order_acquire) == 0;
}

std::optional<NoSpace> find_no_space() noexcept
{
    for (const DataFile file : files)
        if (const std::int64_t since = since_of(file).load(std::memory_order_acquire); since != 0)
            return NoSpace{file, Instant{std::chrono::microseconds(since)}};
    return std::nullopt;
}

std::string_view name_of(DataFile file) noexcept
{
    return file == DataFile::outbox ? "outbox.db" : "mirror.db";
}

} // namespace alli::cache
