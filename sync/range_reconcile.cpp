// SPDX-License-Identifier: Apache-2.0
#include "sync/range_verifier.hpp"

namespace alli::sync {

std::optional<cache::Span> find_stale(SyncContext context, Instant before)
{
    const auto coverage = context.store.read([](cache::Reader& db) { return cache::load_coverage(db); });
    // In the future: then the clock was set back.
    const auto is_stale = [before, now = context.clock.now()](const cache::Interval& it) {
        return it.verified_at < before || it.verified_at > now;
    };
    auto oldest = coverage.end();
    for (auto it = coverage.begin(); it != coverage.end(); ++it)
        if (is_stale(*it) && (oldest == coverage.end() || it->verified_at < oldest->verified_at)) oldest = it;
    if (oldest == coverage.end()) return std::nullopt;

    cache::Span span{oldest->from, oldest->through};
    // Neighbours whose turn it is too go with it: a scan costs at least a page.
    for (auto it = std::next(oldest); it != coverage.end() && is_stale(*it) && it->from == span.through; ++it)
        span.through = it->through;
    for (auto it = oldest; it != coverage.begin() && is_stale(*std::prev(it)) && std::prev(it)->through == span.from;)
        span.from = (--it)->from;
    return span;
}

Task<> reconcile_range(SyncContext context, cache::Span span, Deletions deletions, ScanHooks hooks)
{
    IngestOptions ingest_options;
    ingest_options.priority = upstream::Priority::reconcile;
    ingest_options.depth = Depth::all;
    ingest_options.audit = true;
    RangeVerifier verifier(context, span, deletions);
    SplitPoints split_points(span);
    hooks.enough = [&, asked = hooks.enough](const Page& page) {
        return split_points.is_at(page) && !verifier.allows_attempt() && asked && asked(page);
    };
    Paginator paginator(context.client, span, ingest_options.priority);
    Save nothing_more;
    co_await scan_range(context, verifier, paginator, ingest_options, nothing_more, hooks);
}

} // namespace alli::sync
