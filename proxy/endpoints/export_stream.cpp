// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/export_stream.hpp"

#include "alli/error.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

constexpr std::size_t piece_size = 64 * 1024;
constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

} // namespace

ExportStream::ExportStream(cache::Store& store, const Clock& clock, What what, cache::ExportList list,
                           std::shared_ptr<const Grant> grant, cache::Visibility seen)
    : store_(store), clock_(clock), what_(std::move(what)), list_(std::move(list)), grant_(std::move(grant)),
      seen_(std::move(seen))
{}

Task<std::optional<std::string>> ExportStream::next()
{
    if (ended_) co_return std::nullopt;
    const Moment now = Moment::now(clock_);
    if (!grant_->holds(now)) throw Error(Fault::canceled, "", "the export ended before it was whole");
    grant_->use(now.steady);
    const auto job = [this](cache::Reader& db) {
        std::string out;
        if (!std::exchange(begun_, true)) {
            if (what_.bom) out += byte_order_mark;
            out += what_.format.head;
        }
        while (out.size() < piece_size && !ended_) ended_ = !add(db, out);
        return out;
    };
    std::string piece = co_await store_.read_long(job, "an export");
    if (piece.empty()) co_return std::nullopt;
    co_return piece;
}

// False: all is written.
bool ExportStream::add(cache::Reader& db, std::string& out)
{
    if (!current_) return begin_next(db, out);
    const bool more =
        cache::write_chats(db, what_.format, current_->head, current_->id, current_->first, what_.style, out);
    current_->first += cache::chats_a_piece;
    if (more) return true;
    out += what_.format.end;
    list_.written(current_->id);
    current_.reset();
    return true;
}

bool ExportStream::begin_next(cache::Reader& db, std::string& out)
{
    if (waiting_.empty()) {
        waiting_ = list_.next(db);
        std::reverse(waiting_.begin(), waiting_.end());
    }
    if (waiting_.empty()) return false;
    const ConversationId id = std::move(waiting_.back());
    waiting_.pop_back();
    const bool visible = seen_.is_whole() || cache::is_visible(db, id, seen_); // it may have moved since it was listed
    const auto summary = visible ? cache::find_summary(db, id) : std::nullopt;
    if (!summary) return true;
    current_ = Current{id, what_.format.begin(db, *summary, what_.style), 0};
    out += current_->head.text;
    return true;
}

} // namespace alli::proxy
