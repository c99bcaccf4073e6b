// SPDX-License-Identifier: Apache-2.0
// A cursor, and the parameters of a list beside it: only what we wrote is read as ours, and what is read is written as
// the same. A bad one is the caller's fault.
#include "proxy/reads/cursor.hpp"
#include "alli/error.hpp"
#include "http/target.hpp"
#include "proxy/request/list_query.hpp"
#include "tests/fuzz/target.hpp"

using namespace alli;
using namespace alli::proxy;

namespace {

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

void check_cursor(std::string_view text)
{
    try {
        const Cursor cursor = read_cursor(text, {}, secret);
        const std::string again = write_cursor(cursor, {}, secret);
        fuzz::require(write_cursor(read_cursor(again, {}, secret), {}, secret) == again, "read as written");
        fuzz::require(is_our_cursor(text), "what is read is ours");
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::usage, "a bad cursor is the caller's fault");
    }
}

// One of ours that holds upstream's, whatever that is, and the same one with a letter changed.
void check_altered(std::string_view text)
{
    Cursor cursor;
    if (!text.empty()) cursor.upstream = std::string(text);
    std::string written = write_cursor(cursor, {}, secret);
    fuzz::require(read_cursor(written, {}, secret).upstream == cursor.upstream, "upstream's cursor comes back");
    char& letter = written[text.size() % written.size()];
    letter = letter == 'a' ? 'b' : 'a';
    try {
        read_cursor(written, {}, secret);
        fuzz::require(false, "an altered cursor is refused");
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::usage, "and by the caller's fault");
    }
}

void check_list(std::string_view query)
{
    try {
        const Parameters parameters = read_query(query);
        is_slow(parameters);
        for (const TimeUnit unit : {TimeUnit::seconds, TimeUnit::milliseconds}) {
            const ListQuery list = read_list_query(parameters, unit);
            fuzz::require(list.page_size >= 1 && list.page_size <= 50, "a page has a size that the contract knows");
            if (list.cursor && is_our_cursor(*list.cursor)) check_cursor(*list.cursor);
        }
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::usage, "a bad parameter is the caller's fault");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::text_of(data, size);
    check_cursor(text);
    check_altered(text);
    check_list(text);
    return 0;
}
