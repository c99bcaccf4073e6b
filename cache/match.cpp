// SPDX-License-Identifier: Apache-2.0
#include "cache/match.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

bool parts_words(char c)
{
    return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
}

} // namespace

std::vector<std::string> terms_of(std::string_view text)
{
    std::vector<std::string> terms;
    std::string term;
    bool quoted = false;
    const auto end_term = [&] {
        if (!term.empty()) terms.push_back(std::move(term));
        term.clear();
    };
    for (const char c : text) {
        if (c == '"') {
            end_term();
            quoted = !quoted;
        } else if (parts_words(c) && !quoted) {
            end_term();
        } else {
            term += parts_words(c) ? ' ' : c;
        }
    }
    end_term();
    return terms;
}

std::string match_expression(const std::vector<std::string>& terms)
{
    std::string expression; // no term holds a quote, so there is nothing to escape
    for (const std::string& term : terms) {
        if (std::all_of(term.begin(), term.end(), [](char c) { return c == ' '; })) continue;
        expression += (expression.empty() ? "\"" : " \"") + term + '"';
    }
    return expression;
}

} // namespace alli::cache
