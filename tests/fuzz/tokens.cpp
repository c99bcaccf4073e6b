// SPDX-License-Identifier: Apache-2.0
// The tokenizer, the phrases of it and snippets: offsets stay within the text, ascend, and cut no character.
#include "cache/text/tokens.hpp"
#include "cache/text/phrase.hpp"
#include "cache/text/snippet.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>

using namespace alli::cache;

namespace {

struct Seen {
    std::string_view text;
    std::uint32_t begin = 0;
    int count = 0;
};

bool is_cut(std::string_view text, std::size_t at) // within a character
{
    return at < text.size() && at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80 &&
           static_cast<unsigned char>(text[at - 1]) >= 0x80;
}

bool is_utf8(std::string_view text)
{
    bool valid = true;
    Normalizer letters(text);
    for (Letter letter; letters.next(letter);) valid = valid && letter.code != 0xfffd;
    return valid;
}

int take(void* to, const Token& token)
{
    auto& seen = *static_cast<Seen*>(to);
    fuzz::require(!token.text.empty() && token.text.find(' ') == token.text.npos, "a token is a word");
    fuzz::require(token.begin < token.end && token.end <= seen.text.size(), "a token lies within the text");
    fuzz::require(token.begin >= seen.begin, "tokens ascend");
    fuzz::require(!token.beside || seen.count > 0, "the first token is beside none");
    seen.begin = token.begin;
    ++seen.count;
    return 0;
}

void check_tokens(std::string_view text)
{
    for (const TokenSet set : {TokenSet::pairs, TokenSet::everything, TokenSet::letters}) {
        Seen seen{text};
        fuzz::require(tokenize(text, set, &take, &seen) == 0, "nothing stops it");
    }
}

void check_phrases(std::string_view text)
{
    Phrase whole{tokens_of(text)};
    for (const PhraseToken& token : whole.tokens) {
        fuzz::require(token.begin < token.end && token.end <= text.size(), "an atom lies within the text");
        if (is_utf8(text))
            fuzz::require(!is_cut(text, token.begin) && !is_cut(text, token.end), "it cuts no character");
    }
    if (whole.tokens.empty()) return;
    fuzz::require(holds(whole.tokens, whole), "a text holds itself");
    const std::string expression = index_expression(whole);
    fuzz::require(std::count(expression.begin(), expression.end(), '"') == 2, "an expression is one string");
}

void check_snippet(std::string_view text)
{
    const std::string_view wanted = text.substr(0, text.find('\n'));
    std::string html = make_snippet(text, {Phrase{tokens_of(wanted)}}).html;
    for (const std::string_view tag : {"<mark>", "</mark>"})
        for (std::size_t at = html.find(tag); at != html.npos; at = html.find(tag)) html.erase(at, tag.size());
    fuzz::require(html.find_first_of("<>\"'") == html.npos, "a snippet is escaped");
}

} // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::text_of(data, size);
    check_tokens(text);
    check_phrases(text);
    check_snippet(text);
    return 0;
}
