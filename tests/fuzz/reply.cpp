// SPDX-License-Identifier: Apache-2.0
// Whatever answers in upstream's place: status, three headers, body, parted by 0x1e. It is judged, described in one
// line without a control character, and never makes a pause of more than an hour.
#include "upstream/reply.hpp"
#include "tests/fuzz/target.hpp"
#include "upstream/authenticity.hpp"
#include "upstream/outcome.hpp"

#include <algorithm>
#include <array>

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;

namespace {

constexpr std::array statuses{200, 201, 204, 301, 400, 401, 403, 404, 407, 408, 410, 413, 429, 451, 500, 502, 503, 504};

Reply reply_of(std::string_view text)
{
    Reply reply;
    reply.status = text.empty() ? 200 : statuses[static_cast<unsigned char>(text.front()) % statuses.size()];
    if (!text.empty()) text.remove_prefix(1);
    for (const char* name : {"Content-Type", "Retry-After", "Date"}) {
        const std::size_t end = text.find('\x1e');
        if (end == text.npos) break;
        if (end > 0) reply.headers.add(name, std::string(text.substr(0, end)));
        text.remove_prefix(end + 1);
    }
    reply.body = text;
    return reply;
}

void check_words(const std::string& words)
{
    fuzz::require(std::none_of(words.begin(), words.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
                  "one line for a terminal");
    fuzz::require(words.size() < 2000, "a short one");
}

void check_pause(const Reply& reply)
{
    const auto pause = retry_after(reply, Instant{std::chrono::seconds(1'800'000'000)});
    fuzz::require(!pause || (*pause >= 0ms && *pause <= 1h), "never over an hour");
}

// A list is long: its reader finds out. A body that bears what was asked for is that, whatever else stands in it.
void check_authenticity(const Reply& reply)
{
    const bool says_error = has_error_shape(reply.body) && reply.body.find("c01") == reply.body.npos;
    for (std::size_t n = 0; n < shapes_of_success; ++n) {
        const Expected expected{static_cast<Shape>(n), "c01"};
        check_words(describe_foreign(reply, expected));
        const bool of_service = authenticity_of(reply, expected) == Authenticity::service;
        if (reply.status < 300 && says_error && expected.shape == Shape::conversation)
            fuzz::require(!of_service, "a success that says error is not the service's");
    }
    signature_of(reply);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Reply reply = reply_of(fuzz::text_of(data, size));
    check_pause(reply);
    check_words(describe_error(reply));
    check_authenticity(reply);
    outcome_of(reply, Instant{std::chrono::seconds(1'800'000'000)});
    return 0;
}
