// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/response_cache.hpp"

#include "alli/content_hash.hpp"

#include <algorithm>

namespace alli::proxy {

bool CacheBudget::take(std::size_t bytes) noexcept
{
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_) return true;
    give_back(bytes);
    return false;
}

namespace {

// Measured on loopback: of 14 and 30 KB a copy into the socket costs less than sendfile and its second call, of 55 KB
// as much, of 100 KB a tenth more, of 220 KB twice as much.
constexpr std::size_t file_bytes = 64 * 1024;

bool belongs_in_file(std::size_t size) noexcept
{
    return size >= file_bytes;
}

std::string tag_of(std::uint64_t hash)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string tag(18, '"');
    for (std::size_t at = 16; at > 0; --at, hash >>= 4) tag[at] = digits[hash & 15];
    return tag;
}

std::optional<Instant> earlier(std::optional<Instant> mirror, std::optional<Instant> part)
{
    if (!mirror || !part) return mirror;
    return std::min(*mirror, *part);
}

} // namespace

CachedResponse make_cached_response(std::string body, std::optional<Instant> mirror_verified_at,
                                    std::optional<Instant> part_at)
{
    CachedResponse answer;
    answer.tag = tag_of(content_hash(body));
    answer.body = http::Body(std::make_shared<const std::string>(std::move(body)));
    answer.verified_at = earlier(mirror_verified_at, part_at);
    return answer;
}

const CachedResponse* ResponseCache::find(std::string_view target, const cache::InvalidationVersions& latest,
                                          std::optional<Instant> mirror_verified_at)
{
    const auto found = index_.find(target);
    if (found == index_.end()) return nullptr;
    const Position position = found->second;
    CachedResponse& answer = position->answer;
    if ((answer.row ? latest.of(*answer.row) : latest.of_lists()) > position->commits) {
        erase(position);
        return nullptr;
    }
    items_.splice(items_.begin(), items_, position);
    answer.verified_at = mirror_verified_at;
    move_to_file(answer);
    return &answer;
}

// Not before it is asked for again: of many different requests most never are.
void ResponseCache::move_to_file(CachedResponse& answer)
{
    if (answer.body.extent() || !belongs_in_file(answer.body.size())) return;
    if (auto extent = file_.put(answer.body.view())) answer.body = http::Body(std::move(extent));
}

std::size_t ResponseCache::Item::size() const noexcept
{
    const std::size_t body = answer.body.size();
    return target.size() + (belongs_in_file(body) ? http::MemoryFile::footprint(body) : body) + overhead;
}

void ResponseCache::put(std::string target, std::uint64_t commits, CachedResponse answer)
{
    if (const auto old = index_.find(target); old != index_.end()) erase(old->second);
    Item one{std::move(target), commits, std::move(answer)};
    const std::size_t size = one.size();
    if (!make_room(size)) return;
    items_.push_front(std::move(one));
    index_.emplace(items_.front().target, items_.begin());
    bytes_ += size;
}

// A loop within its share evicts nothing: the others exceed theirs, and trim before the next put().
bool ResponseCache::make_room(std::size_t size)
{
    if (size > budget_.most() / 4) return false;
    while (!budget_.take(size)) {
        if (items_.empty() || bytes_ + size <= budget_.share()) {
            budget_.request_trim();
            return false;
        }
        erase(std::prev(items_.end()));
    }
    return true;
}

void ResponseCache::trim_to_share(bool all)
{
    if (!all && trims_seen_ == budget_.trim_requests()) return;
    trims_seen_ = budget_.trim_requests();
    while (bytes_ > budget_.share()) erase(std::prev(items_.end()));
}

void ResponseCache::erase(Position position)
{
    bytes_ -= position->size();
    budget_.give_back(position->size());
    index_.erase(position->target);
    items_.erase(position);
}

} // namespace alli::proxy
