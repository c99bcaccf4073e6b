// SPDX-License-Identifier: Apache-2.0
#include "sync/verdict.hpp"

#include "upstream/reply.hpp"

#include <nlohmann/json.hpp>

namespace alli::sync {
namespace {

using cache::EditKind;
using Kind = Verdict::Kind;

// Whether upstream answers this kind with what it made of it; the others have no content to be judged by.
bool answers_with_json(EditKind kind)
{
    return kind == EditKind::update || kind == EditKind::title || kind == EditKind::feedback;
}

// A good status in front of something else: a captive portal's page, a gateway's sentence.
bool is_readable(const upstream::Reply& reply, EditKind kind)
{
    if (upstream::is_html(reply)) return false;
    return !answers_with_json(kind) || reply.body.empty() || nlohmann::json::accept(reply.body);
}

std::string describe(const upstream::Reply& reply)
{
    return fmt::format("upstream answered {}: {}", reply.status, upstream::describe_error(reply));
}

} // namespace

Verdict judge(const upstream::Reply& reply, EditKind kind, Instant now)
{
    Verdict verdict;
    verdict.retry_after = upstream::retry_after(reply, now);
    if (reply.status >= 200 && reply.status < 300) {
        if (is_readable(reply, kind)) {
            verdict.kind = Kind::delivered;
            return verdict;
        }
        verdict.why = fmt::format("upstream answered {} with something that is not the API's", reply.status);
        verdict.unclear = true;
        return verdict;
    }
    verdict.why = describe(reply);
    const Fault fault = upstream::fault_of(reply.status);
    if (fault == Fault::key_rejected) verdict.kind = Kind::rejected;
    // A page that says 404 is no word about the conversation: a gateway, or a wrong URL.
    if (fault == Fault::refused && !(reply.status == 404 && upstream::is_html(reply))) verdict.kind = Kind::refused;
    verdict.unclear = reply.status >= 500 && reply.status != 503;
    verdict.for_all = reply.status == 429;
    return verdict;
}

Verdict judge(const Error& failure)
{
    Verdict verdict;
    verdict.why = failure.what();
    verdict.answered = failure.fault() == Fault::key_rejected; // and then nothing was sent
    if (verdict.answered) verdict.kind = Kind::rejected;
    // Whether the request got there before the connection broke is not known.
    verdict.unclear = failure.fault() == Fault::unreachable || failure.fault() == Fault::bad_reply;
    if (failure.fault() == Fault::usage) verdict.kind = Kind::refused; // it cannot go out as it is
    return verdict;
}

} // namespace alli::sync
