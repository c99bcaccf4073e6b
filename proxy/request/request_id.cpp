// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/request_id.hpp"

#include "alli/random.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

constexpr std::size_t longest = 128;
constexpr std::string_view letters = "abcdefghijkmnpqrstuvwxyz23456789"; // 32, without those that look alike

void write(std::uint64_t number, char* from, char* to)
{
    for (; from != to; number >>= 5U) *--to = letters[number & 31U];
}

bool may_stand(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("._-:+/=@").find(c) != std::string_view::npos;
}

} // namespace

RequestIds::RequestIds() : salt_(SystemRandom().next()) {}

std::string RequestIds::next()
{
    std::string id(15, 'a');
    write(salt_, id.data(), id.data() + 8);
    write(count_++, id.data() + 8, id.data() + 15);
    return id;
}

bool is_request_id(std::string_view text) noexcept
{
    return !text.empty() && text.size() <= longest && std::all_of(text.begin(), text.end(), &may_stand);
}

} // namespace alli::proxy
