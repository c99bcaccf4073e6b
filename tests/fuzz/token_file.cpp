// SPDX-License-Identifier: Apache-2.0
// The tokens file: any bytes are tokens or a mistake that is told without repeating them; what was read is written and
// read again as the same.
#include "alli/error.hpp"
#include "daemon/settings/token_lines.hpp"
#include "tests/fuzz/target.hpp"

#include <set>

using namespace alli;
using namespace alli::daemon;

namespace {

void check_line(const TokenLine& line)
{
    const proxy::Token& token = line.token;
    fuzz::require(!token.principal.name.empty() && line.number > 0, "a token has a name and a line");
    if (line.bare) return;
    const auto again = read_token_lines(write_token_line(token), "again", Zone());
    fuzz::require(again.size() == 1, "a line is one line");
    const proxy::Token& same = again.front().token;
    fuzz::require(same.principal.name == token.principal.name && same.principal.scope == token.principal.scope &&
                      same.principal.part == token.principal.part && same.hash == token.hash &&
                      same.expires == token.expires,
                  "what was read is written as the same");
}

// No word of a line, which may be a token, stands in what is said of it. Short ones may be words of the sentence.
void check_silence(std::string_view bytes, const Error& error)
{
    constexpr std::size_t telling = 24;
    const std::string said = error.what() + ("\n" + error.hint());
    for (std::size_t at = 0; at + telling <= bytes.size(); ++at)
        fuzz::require(said.find(bytes.substr(at, telling)) == said.npos, "a mistake is told without the line");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes = fuzz::text_of(data, size);
    try {
        std::set<std::string> names;
        for (const TokenLine& line : read_token_lines(bytes, "FILE", Zone())) {
            check_line(line);
            fuzz::require(names.insert(line.token.principal.name).second, "a name stands once");
        }
    } catch (const Error& error) {
        fuzz::require(error.fault() == Fault::settings, "what is wrong is the file");
        check_silence(bytes, error);
    }
    return 0;
}
