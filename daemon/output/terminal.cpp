// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/terminal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace alli::daemon {

bool takes_escapes(int descriptor)
{
    const char* kind = std::getenv("TERM");
    return ::isatty(descriptor) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

bool wants_bold()
{
    const char* refused = std::getenv("NO_COLOR");
    return takes_escapes(STDOUT_FILENO) && (refused == nullptr || *refused == '\0');
}

std::string snippet_text(std::string_view snippet, bool bold)
{
    struct Mark {
        std::string_view html, text;
    };
    const auto marks = std::to_array<Mark>({
        {"<mark>", bold ? "\x1b[1m" : ""},
        {"</mark>", bold ? "\x1b[0m" : ""},
        {"&lt;", "<"},
        {"&gt;", ">"},
        {"&quot;", "\""},
        {"&#39;", "'"},
        {"&amp;", "&"},
    });
    const std::string clean = printable_line(snippet); // before our own escapes come in
    std::string out;
    for (std::string_view rest = clean; !rest.empty();) {
        const auto* mark =
            std::find_if(marks.begin(), marks.end(), [&](const Mark& m) { return rest.starts_with(m.html); });
        out += mark == marks.end() ? rest.substr(0, 1) : mark->text;
        rest.remove_prefix(mark == marks.end() ? 1 : mark->html.size());
    }
    return out;
}

void print_failure(std::string_view sentence, std::string_view hint)
{
    fmt::print(stderr, "alli-mirror: {}\n", printable_line(sentence));
    if (!hint.empty()) fmt::print(stderr, "  hint: {}\n", printable_line(hint));
}

void print_incomplete_note()
{
    fmt::print(stderr, "note: the mirror is not complete yet, so there may be more: see alli-mirror status\n");
}

void print_json(std::string_view json)
{
    if (::isatty(STDOUT_FILENO) == 1)
        fmt::print("{}\n", printable(json));
    else
        fmt::print("{}\n", json);
}

} // namespace alli::daemon
