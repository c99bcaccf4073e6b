// SPDX-License-Identifier: Apache-2.0
#include "daemon/arguments/query_text.hpp"

#include "alli/error.hpp"
#include "daemon/arguments/query_words.hpp"

namespace alli::daemon {

static std::string filter_text(std::string_view name, const std::string& value)
{
    if (value.empty()) return "";
    for (const std::string_view quote : {"\"", "“", "”", "＂"})
        if (value.find(quote) != value.npos)
            throw Error(Fault::usage, "run it as root: sudo alli-mirror ...",
                        "the daemon cannot be asked for a {} with a quotation mark in it", name);
    return fmt::format("{}:\"{}\" ", name, value);
}

// The filters first: a quotation that does not end takes all that follows.
std::string query_text(const SearchArguments& arguments)
{
    std::string text;
    for (const auto& [name, value] : {std::pair{"user", &arguments.user},
                                      {"app", &arguments.app},
                                      {"category", &arguments.category},
                                      {"sender", &arguments.sender},
                                      {"rating", &arguments.rating},
                                      {"agentrating", &arguments.agent_rating},
                                      {"state", &arguments.state},
                                      {"assignee", &arguments.assignee},
                                      {"channel", &arguments.channel},
                                      {"has", &arguments.has},
                                      {"after", &arguments.after},
                                      {"before", &arguments.before}})
        text += filter_text(name, *value);
    for (const std::string& word : arguments.words) text += unmarked(word) + ' ';
    if (!text.empty()) text.pop_back();
    return text;
}

} // namespace alli::daemon
