// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/token_lines.hpp"

#include "alli/error.hpp"
#include "daemon/settings/key_text.hpp"
#include "http/target.hpp"
#include "upstream/target.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace alli::daemon {
namespace {

constexpr const char* shape = "a line is NAME SCOPE SHA256-HEX [expires=DATE] [app=ID] [user=ID], as alli-mirror token "
                              "new writes it";

/// Location of a fault, and the error for it.
struct Place {
    const std::string& file;
    std::size_t line;

    [[noreturn]] void refuse(std::string_view what) const
    {
        throw Error(Fault::settings, shape, "the token in {}:{} {}", file, line, what);
    }
};

std::vector<std::string_view> split_words(std::string_view text)
{
    std::vector<std::string_view> words;
    for (std::size_t at = text.find_first_not_of(" \t"); at != text.npos;) {
        const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
        words.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(" \t", end);
    }
    return words;
}

bool is_plain(std::string_view word) // what percent-encoding leaves
{
    return std::all_of(word.begin(), word.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string decode(std::string_view word, const Place& place)
{
    if (!is_plain(word)) place.refuse("holds a character beyond ASCII, or an invisible one: write it percent-encoded");
    auto decoded = http::percent_decoded(word);
    if (!decoded) place.refuse("holds a broken percent escape (write a percent sign as %25)");
    return std::move(*decoded);
}

std::string id_of(const std::string& text, const Place& place)
{
    if (text.empty()) place.refuse("narrows to an empty id");
    if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        place.refuse("narrows to an id with a control character");
    return text;
}

struct Option {
    std::string_view name; // with its sign
    void (*put)(proxy::Token& token, const std::string& text, const Place& place, const Zone& zone);
};
constexpr auto options = std::to_array<Option>({
    {"expires=",
     [](proxy::Token& token, const std::string& text, const Place& place, const Zone& zone) {
         token.expires = read_expiry(text, zone);
         if (!token.expires) place.refuse("expires at what is no date (2027-01-31) and no time (2027-01-31T12:00:00Z)");
     }},
    {"app=", [](proxy::Token& token, const std::string& text, const Place& place,
                const Zone&) { token.principal.part.app = id_of(text, place); }},
    {"user=", [](proxy::Token& token, const std::string& text, const Place& place,
                 const Zone&) { token.principal.part.user = id_of(text, place); }},
});

void put_options(proxy::Token& token, std::span<const std::string_view> words, const Place& place, const Zone& zone)
{
    std::array<bool, options.size()> seen{};
    for (const std::string_view word : words) {
        const auto* found = std::find_if(options.begin(), options.end(),
                                         [&](const Option& option) { return word.starts_with(option.name); });
        if (found == options.end()) place.refuse("has a word behind its hash that is not expires=, app= or user=");
        const auto index = static_cast<std::size_t>(found - options.begin());
        if (std::exchange(seen[index], true)) place.refuse("says expires=, app= or user= twice");
        found->put(token, decode(word.substr(found->name.size()), place), place, zone);
    }
}

proxy::Token read_named(const std::vector<std::string_view>& words, const Place& place, const Zone& zone)
{
    if (words.size() < 3) place.refuse("has two words: name, scope and hash are three, and a bare token is one");
    proxy::Token token;
    token.principal.name = decode(words[0], place);
    if (const auto fault = find_name_fault(token.principal.name); !fault.empty())
        place.refuse(fmt::format("has a name that {}", fault));
    const auto scope = proxy::find_scope(words[1]);
    if (!scope) place.refuse("has another scope than metrics, read, write or admin");
    token.principal.scope = *scope;
    const auto hash = read_digest(words[2]);
    if (!hash) place.refuse("has no hash as its third word: the SHA-256 of the token, 64 digits of hexadecimal");
    token.hash = *hash;
    put_options(token, std::span(words).subspan(3), place, zone);
    if (const auto fault = find_part_fault(token.principal); !fault.empty()) place.refuse(fault);
    return token;
}

proxy::Token read_bare(const std::string& text, const Place& place)
{
    const std::string key = read_key(text, fmt::format("the token in {}:{}", place.file, place.line));
    if (key.empty()) place.refuse("is empty");
    return {{fmt::format("line {}", place.line), proxy::Scope::write, {}}, sha256(key), std::nullopt};
}

void refuse_repeated(const TokenLine& line, const std::vector<TokenLine>& before, const Place& place)
{
    for (const TokenLine& other : before) {
        if (line.bare && other.bare) continue; // which never meant two things
        if (other.token.principal.name == line.token.principal.name)
            place.refuse(fmt::format("has the name of that in line {}", other.number));
        if (other.token.hash == line.token.hash)
            place.refuse(fmt::format("is the same token as that in line {}", other.number));
    }
}

} // namespace

std::optional<Digest> read_digest(std::string_view hex)
{
    Digest digest{};
    if (hex.size() != 2 * digest.size()) return std::nullopt;
    for (std::size_t at = 0; at < hex.size(); ++at) {
        const char c = hex[at];
        const int value = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (value < 0) return std::nullopt;
        digest[at / 2] = static_cast<unsigned char>(digest[at / 2] << 4 | value);
    }
    return digest;
}

std::string_view find_name_fault(std::string_view name)
{
    constexpr std::size_t longest = 100;
    constexpr auto taken = std::to_array<std::string_view>({"key", "socket", "group", "nobody", ".", ".."});
    if (name.empty()) return "is empty";
    if (name.size() > longest) return "is longer than 100 bytes";
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
        return "is taken: key, socket and nobody are others";
    const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '/' || c == '\\';
    });
    if (odd) return "holds a slash or a control character";
    return is_text(name) ? "" : "is no UTF-8";
}

std::string_view find_part_fault(const proxy::Principal& principal)
{
    if (principal.part.is_whole()) return "";
    if (principal.scope == proxy::Scope::metrics)
        return "has scope metrics and a part: numbers are of the whole mirror";
    if (principal.scope == proxy::Scope::admin)
        return "has scope admin and a part: purge and backup are of the whole mirror";
    return "";
}

std::optional<Instant> read_expiry(std::string_view text, const Zone& zone)
{
    constexpr std::size_t length = 10; // 2026-01-31
    const auto when = from_rfc3339(text);
    if (!when || text.size() != length) return when;
    const auto day = std::chrono::floor<std::chrono::days>(*when).time_since_epoch();
    return zone.start_of(std::chrono::local_days{day + std::chrono::days{1}});
}

std::vector<TokenLine> read_token_lines(std::string_view bytes, const std::string& file, const Zone& zone)
{
    std::vector<TokenLine> lines;
    for (const TextLine& text : read_text_lines(bytes)) {
        const Place place{file, text.number};
        const auto words = split_words(text.text);
        const bool bare = words.size() == 1;
        TokenLine line{bare ? read_bare(text.text, place) : read_named(words, place, zone), text.number, bare};
        refuse_repeated(line, lines, place);
        lines.push_back(std::move(line));
    }
    return lines;
}

std::string write_token_line(const proxy::Token& token)
{
    const proxy::Principal& who = token.principal;
    std::string line = fmt::format("{} {} ", upstream::percent_encoded(who.name), proxy::name_of(who.scope));
    for (const unsigned char byte : token.hash) line += fmt::format("{:02x}", byte);
    if (token.expires) line += " expires=" + to_rfc3339(*token.expires);
    if (!who.part.app.empty()) line += " app=" + upstream::percent_encoded(who.part.app);
    if (!who.part.user.empty()) line += " user=" + upstream::percent_encoded(who.part.user);
    return line;
}

} // namespace alli::daemon
