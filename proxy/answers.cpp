// SPDX-License-Identifier: Apache-2.0
#include "proxy/answers.hpp"

#include "alli/quick_hash.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::proxy {

namespace {

std::optional<Instant> earlier(std::optional<Instant> mirror, std::optional<Instant> part)
{
    if (!mirror || !part) return mirror;
    return std::min(*mirror, *part);
}

} // namespace

Answer make_answer(std::string body, std::optional<Instant> mirror_verified_at, std::optional<Instant> part_at)
{
    Answer answer;
    answer.tag = fmt::format("\"{:016x}\"", quick_hash(body));
    answer.body = std::make_shared<const std::string>(std::move(body));
    answer.verified_at = earlier(mirror_verified_at, part_at);
    return answer;
}

const Answer* Answers::find(std::string_view target, const cache::Latest& latest,
                            std::optional<Instant> mirror_verified_at)
{
    const auto found = places_.find(target);
    if (found == places_.end()) return nullptr;
    const Place place = found->second;
    Answer& answer = place->answer;
    if ((answer.of ? latest.of(*answer.of) : latest.of_lists()) > place->commits) {
        forget(place);
        return nullptr;
    }
    kept_.splice(kept_.begin(), kept_, place);
    answer.verified_at = mirror_verified_at;
    return &answer;
}

void Answers::put(std::string target, std::uint64_t commits, Answer answer)
{
    if (const auto old = places_.find(target); old != places_.end()) forget(old->second);
    Kept one{std::move(target), commits, std::move(answer)};
    const std::size_t size = one.size();
    if (size > most_ / 4) return;
    while (bytes_ + size > most_) forget(std::prev(kept_.end()));
    kept_.push_front(std::move(one));
    places_.emplace(kept_.front().target, kept_.begin());
    bytes_ += size;
}

void Answers::forget(Place place)
{
    bytes_ -= place->size();
    places_.erase(place->target);
    kept_.erase(place);
}

} // namespace alli::proxy
