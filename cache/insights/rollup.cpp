// SPDX-License-Identifier: Apache-2.0
// A byte for the version, then how many rows there are, the lists of groups that rows share (how many, of each how
// many groups, of each its kind and number), and the columns, each behind its size. Of a row: the difference of its
// conversation to the one before, which list of groups, the user, how many cells. Of a cell: a head (how many messages,
// whether the conversation was created then, whether it has no time) and, where it has a time, the difference of its
// quarter to that of the cell before. Of a message: its facts; of an answer: length and wait, the low bytes apart from
// the high ones, which are nearly all zero.
#include "cache/insights/rollup.hpp"

#include "cache/chats/packed_facts.hpp"
#include "cache/db/varint.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace alli::cache {
namespace {

constexpr char version = 2;
constexpr std::int64_t kept_facts = fact::answer | fact::bad | fact::good | fact::citations;
constexpr std::uint64_t timeless_bit = 1, created_bit = 2;
constexpr int head_bits = 2;

std::uint64_t zigzag(std::int64_t number)
{
    return (static_cast<std::uint64_t>(number) << 1) ^ static_cast<std::uint64_t>(number >> 63);
}

std::int64_t from_zigzag(std::uint64_t number)
{
    return static_cast<std::int64_t>(number >> 1) ^ -static_cast<std::int64_t>(number & 1);
}

std::uint64_t take(std::string_view& text)
{
    if (!text.empty() && (text.front() & 0x80) == 0) { // nearly all
        const auto number = static_cast<std::uint64_t>(text.front());
        text.remove_prefix(1);
        return number;
    }
    const auto number = take_varint(text);
    if (!number) throw DamagedRollup();
    return *number;
}

std::string_view take_bytes(std::string_view& text, std::uint64_t size)
{
    if (size > text.size()) throw DamagedRollup();
    const std::string_view bytes = text.substr(0, size);
    text.remove_prefix(size);
    return bytes;
}

std::optional<Quarter> quarter_of(const std::optional<Instant>& when)
{
    if (!when) return std::nullopt;
    return std::chrono::floor<Quarter>(when->time_since_epoch());
}

std::uint16_t wait_of(const CountedChat& chat)
{
    if (!chat.has_question || !chat.asked_at || !chat.sent_at || *chat.sent_at < *chat.asked_at)
        return RollupCell::no_wait;
    return Histogram::bucket_of(std::chrono::duration<double, std::milli>(*chat.sent_at - *chat.asked_at).count());
}

bool has(char facts, std::int64_t any)
{
    return (facts & any) != 0;
}

// What the facts of messages add up to, without a branch for each: several counters in one number, by the byte of
// facts.
enum { sum_good, sum_bad, sum_unrated, sum_uncited, sum_bad_answers, sums };
constexpr int sum_bits = 12;

constexpr std::array<std::uint64_t, 256> make_sums()
{
    std::array<std::uint64_t, 256> table{};
    for (std::int64_t facts = 0; facts < 256; ++facts) {
        const bool answer = (facts & fact::answer) != 0, bad = (facts & fact::bad) != 0;
        const bool good = (facts & fact::good) != 0, cited = (facts & fact::citations) != 0;
        const bool counted[sums] = {good, bad, answer && !good && !bad, answer && !cited, answer && bad};
        for (int sum = 0; sum < sums; ++sum)
            table[static_cast<std::size_t>(facts)] |= std::uint64_t{counted[sum]} << (sum * sum_bits);
    }
    return table;
}
constexpr auto sums_by_facts = make_sums();

std::array<std::int64_t, sums> sum_of(std::string_view facts)
{
    constexpr std::uint64_t most = (1U << sum_bits) - 1; // messages that the counters hold
    std::array<std::int64_t, sums> all{};
    for (; !facts.empty(); facts.remove_prefix(std::min<std::size_t>(facts.size(), most))) {
        std::uint64_t sum = 0;
        for (const char one : facts.substr(0, most)) sum += sums_by_facts[static_cast<unsigned char>(one)];
        for (std::size_t n = 0; n < sums; ++n)
            all[n] += static_cast<std::int64_t>(sum >> (n * static_cast<std::size_t>(sum_bits)) & most);
    }
    return all;
}

std::size_t count_answers(std::string_view facts)
{
    std::size_t count = 0;
    for (const char one : facts) count += static_cast<unsigned char>(one) & fact::answer;
    return count;
}

} // namespace

std::size_t RollupCell::bad_answers() const
{
    return static_cast<std::size_t>(sum_of(facts)[sum_bad_answers]);
}

RollupCounts RollupCell::counts() const
{
    const auto sum = sum_of(facts);
    return {created ? 1 : 0, std::ssize(facts), sum[sum_good], sum[sum_bad], sum[sum_unrated], sum[sum_uncited]};
}

void RollupBuilder::add_conversation(std::int64_t conversation, const std::optional<Instant>& created_at)
{
    created_.push_back({conversation, quarter_of(created_at)});
}

void RollupBuilder::add_chat(const CountedChat& chat)
{
    if (!messages_.empty() && chat.conversation != pending_) write_pending();
    pending_ = chat.conversation;
    const auto length = Histogram::bucket_of(static_cast<double>(length_in(chat.facts)));
    messages_.push_back({quarter_of(chat.sent_at), static_cast<char>(chat.facts & kept_facts), length, wait_of(chat)});
}

std::string RollupBuilder::finish()
{
    if (!messages_.empty()) write_pending();
    write_created_before(std::numeric_limits<std::int64_t>::max());
    std::string out(1, version);
    append_varint(out, rows_);
    append_varint(out, known_.size());
    out += shared_;
    for (const std::string& column : columns_) {
        append_varint(out, column.size());
        out += column;
    }
    return out;
}

void RollupBuilder::write_pending()
{
    write_created_before(pending_);
    const bool is_created = next_created_ < created_.size() && created_[next_created_].conversation == pending_;
    write_row(pending_, is_created ? &created_[next_created_++] : nullptr, messages_);
    messages_.clear();
}

// Conversations that no message is counted of.
void RollupBuilder::write_created_before(std::int64_t conversation)
{
    if (!std::exchange(sorted_, true)) std::sort(created_.begin(), created_.end());
    for (; next_created_ < created_.size() && created_[next_created_].conversation < conversation; ++next_created_)
        write_row(created_[next_created_].conversation, &created_[next_created_], {});
}

void RollupBuilder::write_row(std::int64_t conversation, const Created* created, std::span<Message> messages)
{
    const GroupNumbers& groups = groups_of_(conversation);
    append_varint(columns_[RollupColumn::conversations], zigzag(conversation - last_conversation_));
    append_varint(columns_[RollupColumn::shared], shared_index(groups.shared));
    append_varint(columns_[RollupColumn::users], zigzag(groups.user));
    last_conversation_ = conversation, ++rows_;

    const auto by_quarter = [](const Message& a, const Message& b) { return a.quarter < b.quarter; };
    std::stable_sort(messages.begin(), messages.end(), by_quarter);
    std::uint64_t count = 0;
    const auto add = [&](const std::optional<Quarter>& quarter, std::span<const Message> of) {
        const bool is_created = created && created->quarter == quarter;
        if (is_created) created = nullptr;
        write_cell(quarter, is_created, of), ++count;
    };
    while (!messages.empty()) {
        const auto quarter = messages.front().quarter;
        if (created && created->quarter < quarter) add(created->quarter, {});
        const auto end = std::upper_bound(messages.begin(), messages.end(), messages.front(), by_quarter);
        const auto size = static_cast<std::size_t>(end - messages.begin());
        add(quarter, messages.first(size));
        messages = messages.subspan(size);
    }
    if (created) add(created->quarter, {});
    append_varint(columns_[RollupColumn::cells], count);
}

void RollupBuilder::write_cell(const std::optional<Quarter>& quarter, bool created, std::span<const Message> messages)
{
    append_varint(columns_[RollupColumn::heads],
                  messages.size() << head_bits | (created ? created_bit : 0) | (quarter ? 0 : timeless_bit));
    if (quarter) {
        append_varint(columns_[RollupColumn::quarters], zigzag((*quarter - last_quarter_).count()));
        last_quarter_ = *quarter;
    }
    for (const Message& message : messages) write_message(message);
}

void RollupBuilder::write_message(const Message& message)
{
    columns_[RollupColumn::facts] += message.facts;
    if (!has(message.facts, fact::answer)) return;
    columns_[RollupColumn::lengths_low] += static_cast<char>(message.length & 0xff);
    columns_[RollupColumn::lengths_high] += static_cast<char>(message.length >> 8);
    columns_[RollupColumn::waits_low] += static_cast<char>(message.wait & 0xff);
    columns_[RollupColumn::waits_high] += static_cast<char>(message.wait >> 8);
}

std::uint64_t RollupBuilder::shared_index(const std::vector<Membership>& groups)
{
    std::string stored;
    append_varint(stored, groups.size());
    for (const Membership& member : groups) {
        append_varint(stored, static_cast<std::uint64_t>(member.group));
        append_varint(stored, zigzag(member.number));
    }
    const auto [known, is_new] = known_.try_emplace(stored, known_.size());
    if (is_new) shared_ += stored;
    return known->second;
}

Rollup::Rollup(std::string_view stored)
{
    if (stored.empty() || stored.front() != version) throw DamagedRollup();
    stored.remove_prefix(1);
    rows_ = take(stored);
    std::vector<std::size_t> ends;
    for (std::uint64_t lists = take(stored); lists > 0; --lists) {
        for (std::uint64_t left = take(stored); left > 0; --left) {
            const std::uint64_t group = take(stored);
            if (group >= insight_groups) throw DamagedRollup();
            members_.push_back({static_cast<InsightGroup>(group), from_zigzag(take(stored))});
        }
        ends.push_back(members_.size());
    }
    shared_.reserve(ends.size());
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
        shared_.push_back(std::span<const Membership>(members_).subspan(begin, end - begin));
        begin = end;
    }
    for (std::string_view& column : columns_) column = take_bytes(stored, take(stored));
}

// `conversation`: of the row before.
RollupOwner Rollup::take_owner(Columns& left, std::int64_t& conversation) const
{
    conversation += from_zigzag(take(left[RollupColumn::conversations]));
    const std::uint64_t index = take(left[RollupColumn::shared]);
    if (index >= shared_.size()) throw DamagedRollup();
    return {conversation, static_cast<std::size_t>(index), from_zigzag(take(left[RollupColumn::users]))};
}

void Rollup::visit_sizes(const std::function<void(const RollupSize&)>& take_one) const
{
    auto left = columns_; // of each column
    std::int64_t conversation = 0;
    for (std::uint64_t row_number = 0; row_number < rows_; ++row_number) {
        RollupSize size{take_owner(left, conversation), 0};
        for (std::uint64_t cells = take(left[RollupColumn::cells]); cells > 0; --cells)
            size.messages += static_cast<std::int64_t>(take(left[RollupColumn::heads]) >> head_bits);
        take_one(size);
    }
}

void Rollup::visit(const std::function<void(const RollupRow&)>& take_one) const
{
    auto left = columns_; // of each column
    Quarter quarter{};
    std::vector<RollupCell> row;
    const auto take_cell = [&] {
        const std::uint64_t head = take(left[RollupColumn::heads]);
        RollupCell cell{};
        cell.created = (head & created_bit) != 0;
        if ((head & timeless_bit) == 0)
            cell.quarter = quarter += Quarter(from_zigzag(take(left[RollupColumn::quarters])));
        cell.facts = take_bytes(left[RollupColumn::facts], head >> head_bits);
        const std::size_t answers = count_answers(cell.facts);
        cell.lengths_low = take_bytes(left[RollupColumn::lengths_low], answers);
        cell.lengths_high = take_bytes(left[RollupColumn::lengths_high], answers);
        cell.waits_low = take_bytes(left[RollupColumn::waits_low], answers);
        cell.waits_high = take_bytes(left[RollupColumn::waits_high], answers);
        return cell;
    };
    std::int64_t conversation = 0;
    for (std::uint64_t row_number = 0; row_number < rows_; ++row_number) {
        const RollupOwner owner = take_owner(left, conversation);
        row.clear();
        for (std::uint64_t cells = take(left[RollupColumn::cells]); cells > 0; --cells) row.push_back(take_cell());
        take_one({owner, row});
    }
}

} // namespace alli::cache
