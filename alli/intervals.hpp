// SPDX-License-Identifier: Apache-2.0
// Spans of time and sets of them, with the set operations that coverage needs. Pure.
#pragma once

#include "alli/instant.hpp"

#include <algorithm>
#include <initializer_list>
#include <vector>

namespace alli {

struct Span {
    Instant from, through; // [from, through)

    bool empty() const noexcept { return from >= through; }
    bool contains(const Span& other) const noexcept { return from <= other.from && other.through <= through; }
    bool overlaps(const Span& other) const noexcept { return from < other.through && other.from < through; }
    /// What of it lies outside the other, at most a part below and a part above; neither is empty.
    std::vector<Span> without(const Span& other) const
    {
        std::vector<Span> parts;
        for (const Span part :
             {Span{from, std::min(through, other.from)}, Span{std::max(from, other.through), through}})
            if (!part.empty()) parts.push_back(part);
        return parts;
    }
    bool operator==(const Span&) const = default;
};

/// Any times: spans that neither overlap nor touch each other, ascending.
class IntervalSet {
  public:
    IntervalSet() = default;
    IntervalSet(std::initializer_list<Span> spans) : IntervalSet(std::vector<Span>(spans)) {}
    explicit IntervalSet(const std::vector<Span>& spans)
    {
        for (const Span& span : spans) add(span);
    }

    const std::vector<Span>& spans() const noexcept { return spans_; }
    bool empty() const noexcept { return spans_.empty(); }

    /// Joins what it overlaps or touches.
    void add(Span span)
    {
        if (span.empty()) return;
        const auto first = std::lower_bound(spans_.begin(), spans_.end(), span.from,
                                            [](const Span& it, Instant from) { return it.through < from; });
        auto past = first;
        for (; past != spans_.end() && past->from <= span.through; ++past) {
            span.from = std::min(span.from, past->from);
            span.through = std::max(span.through, past->through);
        }
        spans_.insert(spans_.erase(first, past), span);
    }

    bool contains(const Span& span) const
    {
        return std::any_of(spans_.begin(), spans_.end(), [&](const Span& it) { return it.contains(span); });
    }
    bool contains(const IntervalSet& other) const
    {
        return std::all_of(other.spans_.begin(), other.spans_.end(), [&](const Span& it) { return contains(it); });
    }

    /// What of `whole` is not in it, ascending.
    std::vector<Span> gaps(const Span& whole) const
    {
        std::vector<Span> gaps;
        Span rest = whole;
        for (const Span& span : spans_) {
            if (const Span gap{rest.from, std::min(span.from, whole.through)}; !gap.empty()) gaps.push_back(gap);
            rest.from = std::max(rest.from, span.through);
        }
        if (!rest.empty()) gaps.push_back(rest);
        return gaps;
    }

    bool operator==(const IntervalSet&) const = default;

  private:
    std::vector<Span> spans_;
};

} // namespace alli
