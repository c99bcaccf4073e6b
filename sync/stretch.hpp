// SPDX-License-Identifier: Apache-2.0
// A span of last chat time on its way to being certified: which part each page of a walk completes, who is held there
// and was not listed, and the certificate in the page's commit.
#pragma once

#include "sync/passes.hpp"

#include <unordered_map>

namespace alli::sync {

class Stretch {
  public:
    Stretch(Tools tools, cache::Span span, Deletions deletions)
        : tools_(tools), span_(span), open_(span.through == Instant::max()), deletions_(deletions)
    {}

    /// Before a page is committed: takes its part, and asks about those that are missing from it.
    Task<> compare(const Step& step, std::function<void(const Ingested&)> report);

    /// In its commit. A span without an end stands above all that is certified: nothing is said of any part of it.
    void certify(cache::Writer& db, const Step& step);

    /// The span ends here: known when the first page came.
    void end_at(Instant through)
    {
        span_.through = through;
        open_ = false;
    }
    bool is_open() const { return open_; }

    /// What no page has completed yet, at the lower end.
    cache::Span left() const { return {span_.from, std::max(span_.from, span_.through)}; }

  private:
    void take(const Step& step);
    std::vector<ConversationId> absent() const;

    Tools tools_;
    cache::Span span_; // what is left of it, below
    bool open_;
    Deletions deletions_;
    cache::Span part_;                  // what the page at hand completes
    std::vector<Unreadable> passed_by_; // and reaching into what is left: a later page does not list it either
    std::unordered_map<ConversationId, Instant> seen_; // and where: those above what is left are forgotten
};

/// After which pages of a walk down a span it may end, for another to go on there.
class Edges {
  public:
    explicit Edges(cache::Span span) : through_(span.through) {}

    /// Asked for every page. Not within a chain of pages of one time, nor on the way past what cannot be read, nor
    /// above the span, where windows overlap: whoever goes on from there would begin the same anew.
    bool is_at(const Step& step);

  private:
    Instant through_;
    std::optional<Instant> reached_;
};

/// Down a span; `save` comes after the certificate.
Task<> walk_stretch(Tools tools, Stretch& stretch, Walk& walk, How how, Save save, Duties duties);

} // namespace alli::sync
