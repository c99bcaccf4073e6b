// SPDX-License-Identifier: Apache-2.0
#include "http/header_grammar.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace alli::http {
namespace {

enum Kind : std::uint8_t { token, colon, mark, space, tab, cr, lf, high, control, kinds };

constexpr std::array<Kind, 256> make_kinds()
{
    std::array<Kind, 256> made{};
    for (std::size_t i = 0; i < made.size(); ++i) made[i] = i < 0x20 || i == 0x7f ? control : i < 0x80 ? mark : high;
    for (const char c :
         std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        made[static_cast<unsigned char>(c)] = token;
    made[':'] = colon;
    made[' '] = space;
    made['\t'] = tab;
    made['\r'] = cr;
    made['\n'] = lf;
    return made;
}
constexpr std::array<Kind, 256> kind_of = make_kinds();

using enum HeaderState;

// One row for each state, in the order of HeaderState; no transition leaves end or bad.
constexpr HeaderState rows[][kinds] = {
    // token      colon   mark     space         tab    cr          lf    high   control
    {method, bad, bad, bad, bad, bad, bad, bad, bad},               // start
    {method, bad, bad, target_start, bad, bad, bad, bad, bad},      // method
    {target, target, target, bad, bad, bad, bad, bad, bad},         // target_start
    {target, target, target, version, bad, bad, bad, bad, bad},     // target
    {version, bad, version, bad, bad, request_cr, bad, bad, bad},   // version
    {bad, bad, bad, bad, bad, bad, line, bad, bad},                 // request_cr
    {name, bad, bad, bad, bad, last_cr, bad, bad, bad},             // line
    {name, value, bad, bad, bad, bad, bad, bad, bad},               // name
    {value, value, value, value, value, value_cr, bad, value, bad}, // value
    {bad, bad, bad, bad, bad, bad, line, bad, bad},                 // value_cr
    {bad, bad, bad, bad, bad, bad, end, bad, bad},                  // last_cr
    {bad, bad, bad, bad, bad, bad, bad, bad, bad},                  // end
    {bad, bad, bad, bad, bad, bad, bad, bad, bad},                  // bad
};
static_assert(std::size(rows) == static_cast<std::size_t>(bad) + 1);

} // namespace

HeaderState next_state(HeaderState state, char byte) noexcept
{
    return rows[static_cast<std::size_t>(state)][kind_of[static_cast<unsigned char>(byte)]];
}

} // namespace alli::http
