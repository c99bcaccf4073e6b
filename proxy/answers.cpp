// SPDX-License-Identifier: Apache-2.0
#include "proxy/answers.hpp"

#include "alli/quick_hash.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

namespace alli::proxy {

bool AnswerBudget::take(std::size_t bytes) noexcept
{
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_) return true;
    give_back(bytes);
    return false;
}

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
    if (!make_room(size)) return;
    kept_.push_front(std::move(one));
    places_.emplace(kept_.front().target, kept_.begin());
    bytes_ += size;
}

// Within its share a loop gives up nothing: the others have too much, and the next answer finds room.
bool Answers::make_room(std::size_t size)
{
    if (size > budget_.most() / 4) return false;
    while (!budget_.take(size)) {
        if (kept_.empty() || bytes_ + size <= budget_.share()) {
            budget_.call_in();
            return false;
        }
        forget(std::prev(kept_.end()));
    }
    return true;
}

void Answers::heed_others(bool all)
{
    if (!all && heeded_ == budget_.calls()) return;
    heeded_ = budget_.calls();
    while (bytes_ > budget_.share()) forget(std::prev(kept_.end()));
}

void Answers::forget(Place place)
{
    bytes_ -= place->size();
    budget_.give_back(place->size());
    places_.erase(place->target);
    kept_.erase(place);
}

} // namespace alli::proxy
