// SPDX-License-Identifier: Apache-2.0
// The body of a write, checked as each kind: it is refused in upstream's shape, or it is JSON that upstream could take.
#include "proxy/writes/write_check.hpp"
#include "tests/fuzz/target.hpp"

#include <nlohmann/json.hpp>

#include <array>

using namespace alli;
using namespace alli::proxy;
using cache::EditKind;

namespace {

constexpr std::array kinds{EditKind::title,    EditKind::update, EditKind::bulk_update,
                           EditKind::feedback, EditKind::stop,   EditKind::remove};

void check(const Request& rq, EditKind kind)
{
    const WriteCheck found = check_write(rq, kind);
    if (found.refusal) {
        fuzz::require(found.refusal->status == 400 || found.refusal->status == 415, "a refusal is the caller's fault");
        return;
    }
    const bool has_body = kind != EditKind::stop && kind != EditKind::remove;
    const bool is_queued = !found.doubt; // a doubtful one goes to upstream, now or never
    if (is_queued && has_body && !rq.body.empty())
        fuzz::require(nlohmann::json::accept(rq.body), "what may be queued is JSON");
    if (found.doubt) fuzz::require(doubtful_refusal(*found.doubt).status == 400, "what nobody can judge is refused");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    Request rq;
    rq.method = "PUT";
    rq.headers.add("Content-Type", "application/json");
    rq.body = fuzz::text_of(data, size);
    for (const EditKind kind : kinds) check(rq, kind);
    sets_title_alone(rq.body);
    return 0;
}
