// SPDX-License-Identifier: Apache-2.0
// The scan loop of every task that pages through a window: ask for a page, commit it with its chats and the range that
// it verifies, go on below it. The next page is requested while the last one is being committed.
#pragma once

#include "sync/ingest.hpp"
#include "sync/paginator.hpp"

#include <functional>

namespace alli::sync {

/// What else a task does along a scan. `due`: the next page must wait until `between` was called.
struct ScanHooks {
    std::function<bool()> due = [] { return false; };
    std::function<Task<>()> between;
    std::function<void(const Ingested&)> report; // after every commit, what it brought
    std::function<Task<>(const Page&)> compare;  // every page as it was listed, before its commit
    std::function<bool(const Page&)> enough;     // asked once a page, before its commit: none need come after it
};

/// The next page; retried while the failure is temporary, and narrowed down and passed by while it cannot be read.
/// Throws what is left: when it concerns all, or when nothing below was readable.
Task<Page> next_readable(SyncContext context, Paginator& paginator);

/// Runs in each page's commit, before its rows.
using Save = std::function<void(cache::Writer&, const Page&)>;

/// To the end of the scan; `first`: its first page, where that was asked for already.
Task<> run_scan(SyncContext context, Paginator& paginator, IngestOptions ingest_options, Save save, ScanHooks hooks);
Task<> run_scan_from(SyncContext context, Paginator& paginator, Page first, IngestOptions ingest_options, Save save,
                     ScanHooks hooks);

/// How far before a pass's start its certainty ends: the second that `Date` is cut to.
inline constexpr std::chrono::seconds date_grain{1};

} // namespace alli::sync
