// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/verdict.hpp"

#include "upstream/absence.hpp"
#include "upstream/members.hpp"
#include "upstream/reply.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

using cache::EditKind;
using upstream::Authenticity;
using upstream::Shape;
using Kind = Verdict::Kind;

Shape shape_of(EditKind kind)
{
    if (kind == EditKind::update || kind == EditKind::title) return Shape::conversation;
    return kind == EditKind::feedback ? Shape::chat : Shape::nothing;
}

// What it was to change is as it was before: an answer to an earlier request, or one that was made too early.
bool shows_what_was(const upstream::Reply& reply, const cache::Entry& entry)
{
    if (!entry.base) return false;
    const auto all = upstream::members_of(reply.body);
    if (!all) return false;
    const auto inner = upstream::members_of(upstream::value_of(*all, "result"));
    const upstream::Members& members = inner ? *inner : *all;
    const cache::Patch base = cache::read_patch(*entry.base);
    const cache::Patch ours = cache::patch_of(entry.kind, entry.body);
    return std::any_of(ours.begin(), ours.end(), [&](const auto& set) {
        const auto now = upstream::value_of(members, set.first);
        if (now.empty() || set.first == "categories" || cache::same_value(now, set.second)) return false;
        return std::any_of(base.begin(), base.end(), [&](const auto& before) {
            return before.first == set.first && cache::same_value(before.second, now);
        });
    });
}

void judge_success(Verdict& verdict, const upstream::Reply& reply, const cache::Entry& entry, Authenticity authenticity)
{
    if (authenticity == Authenticity::foreign) {
        verdict.foreign = verdict.in_doubt = true;
        verdict.why = describe_foreign(reply, expected_answer(entry));
        return;
    }
    verdict.kind = Kind::delivered;
    verdict.unproven = authenticity == Authenticity::unproven || shape_of(entry.kind) == Shape::nothing ||
                       shows_what_was(reply, entry);
}

// Where a person can say what the contract leaves open; empty: it does not.
std::string_view setting_of(EditKind kind)
{
    if (kind == EditKind::update) return "upstream.update";
    if (kind == EditKind::remove) return "upstream.delete";
    return kind == EditKind::title ? "upstream.title" : "";
}

std::string describe(const upstream::Reply& reply, const cache::Entry& entry)
{
    std::string text = fmt::format("upstream answered {}: {}", reply.status, upstream::describe_error(reply));
    const std::string_view setting = setting_of(entry.kind);
    if (reply.status == 405)
        text += fmt::format("; it does not take {} for the operation `{}`", entry.method, cache::name_of(entry.kind));
    if (reply.status == 405 && !setting.empty())
        text += fmt::format(": set {} to the method and path that it wants, restart, and retry the write", setting);
    if (upstream::says_absent(reply) && !setting.empty())
        text += fmt::format("; if the conversation is there, upstream may have this at another path: see {}", setting);
    return text;
}

} // namespace

upstream::Expected expected_answer(const cache::Entry& entry)
{
    upstream::Expected expected;
    expected.shape = shape_of(entry.kind);
    if (entry.conversation) expected.id = entry.conversation->value;
    if (entry.kind == EditKind::feedback) {
        expected.parent = expected.id;
        expected.id = entry.chat ? std::string_view(entry.chat->value) : std::string_view();
    }
    return expected;
}

Verdict judge(const upstream::Reply& reply, const cache::Entry& entry, bool absence, Instant now)
{
    Authenticity authenticity = upstream::authenticity_of(reply, expected_answer(entry));
    if (upstream::says_absent(reply)) authenticity = absence ? Authenticity::service : Authenticity::foreign;

    Verdict verdict;
    verdict.retry_after = upstream::retry_after(reply, now);
    if (reply.status >= 200 && reply.status < 300) {
        judge_success(verdict, reply, entry, authenticity);
        return verdict;
    }
    verdict.why = describe(reply, entry);
    verdict.in_doubt = authenticity == Authenticity::foreign || (reply.status >= 500 && reply.status != 503);
    verdict.for_all = reply.status == 429;
    const Fault fault = upstream::fault_of(reply.status);
    if (fault == Fault::unavailable) return verdict; // it will pass, whoever says so
    if (authenticity == Authenticity::foreign) {
        verdict.foreign = true;
        verdict.why = describe_foreign(reply, expected_answer(entry));
        return verdict;
    }
    verdict.kind = fault == Fault::key_rejected ? Kind::rejected : Kind::refused;
    // Sent before, and that was a yes: it is gone, as it was to be.
    const bool done_before = entry.kind == EditKind::remove && entry.in_doubt && upstream::says_absent(reply);
    if (done_before) verdict = Verdict{};
    if (done_before) verdict.kind = Kind::delivered;
    return verdict;
}

Verdict judge(const Error& failure)
{
    Verdict verdict;
    verdict.why = failure.what();
    verdict.answered = failure.fault() == Fault::key_rejected; // and then nothing was sent
    if (verdict.answered) verdict.kind = Kind::rejected;
    // Whether the request got there before the connection broke is not known.
    verdict.in_doubt = failure.fault() == Fault::unreachable || failure.fault() == Fault::bad_reply;
    if (failure.fault() == Fault::usage) verdict.kind = Kind::refused; // it cannot go out as it is
    return verdict;
}

Verdict judge_read(const Error& failure)
{
    Verdict verdict = judge(failure);
    verdict.answered = failure.fault() != Fault::unreachable;
    verdict.foreign = failure.fault() == Fault::bad_reply;
    verdict.in_doubt = false;
    if (verdict.kind == Kind::refused) verdict.kind = Kind::again; // the write is not what was refused
    return verdict;
}

} // namespace alli::sync
