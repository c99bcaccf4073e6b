// SPDX-License-Identifier: Apache-2.0
#include "sync/stretch.hpp"

namespace alli::sync {

std::optional<cache::Span> find_stale(Tools tools, Instant before)
{
    const auto coverage = tools.store.read([](cache::Reader& db) { return cache::load_coverage(db); });
    // In the future: then the clock was set back.
    const auto is_stale = [before, now = tools.clock.now()](const cache::Interval& it) {
        return it.verified_at < before || it.verified_at > now;
    };
    auto oldest = coverage.end();
    for (auto it = coverage.begin(); it != coverage.end(); ++it)
        if (is_stale(*it) && (oldest == coverage.end() || it->verified_at < oldest->verified_at)) oldest = it;
    if (oldest == coverage.end()) return std::nullopt;

    cache::Span span{oldest->from, oldest->through};
    // Neighbours whose turn it is too go with it: a walk costs at least a page.
    for (auto it = std::next(oldest); it != coverage.end() && is_stale(*it) && it->from == span.through; ++it)
        span.through = it->through;
    for (auto it = oldest; it != coverage.begin() && is_stale(*std::prev(it)) && std::prev(it)->through == span.from;)
        span.from = (--it)->from;
    return span;
}

Task<> sweep(Tools tools, cache::Span span, Deletions deletions, Duties duties)
{
    How how;
    how.priority = upstream::Priority::reconcile;
    how.depth = Depth::all;
    how.audit = true;
    Stretch stretch(tools, span, deletions);
    Edges edges(span);
    duties.enough = [&, asked = duties.enough](const Step& step) {
        return edges.is_at(step) && !stretch.is_open() && asked && asked(step);
    };
    Walk walk(tools.client, span, how.priority);
    Save nothing_more;
    co_await walk_stretch(tools, stretch, walk, how, nothing_more, duties);
}

} // namespace alli::sync
