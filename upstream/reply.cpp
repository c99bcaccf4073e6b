// SPDX-License-Identifier: Apache-2.0
#include "upstream/reply.hpp"

#include "upstream/header.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

using Json = nlohmann::json;

constexpr std::size_t max_words = 200;      // of what upstream said, in bytes
constexpr std::size_t max_read = 64 * 1024; // of a body that is looked into for words

constexpr auto url_hint = "is upstream.url right? something that is not the API answered";

char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool begins_with(std::string_view text, std::string_view lower_case) noexcept
{
    return text.size() >= lower_case.size() &&
           std::equal(lower_case.begin(), lower_case.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

std::size_t find_folded(std::string_view text, std::string_view lower_case) noexcept
{
    const auto at = std::search(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                                [](char a, char b) { return lower(a) == b; });
    return at == text.end() ? text.npos : static_cast<std::size_t>(at - text.begin());
}

// Cuts where a UTF-8 sequence begins, so that no half of one is left.
std::string_view cut(std::string_view text, std::size_t size)
{
    if (text.size() <= size) return text;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    return text.substr(0, size);
}

bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

// One line, blanks folded, nothing that a terminal would obey (C1 controls are 0xc2 0x80 to 0xc2 0x9f in UTF-8).
std::string one_line(std::string_view text)
{
    std::string line;
    for (std::size_t i = 0; i < text.size() && line.size() <= max_words; ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool c1 = c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (c1) ++i;
        const bool blank = is_control(c) || c1 || c == ' ';
        if (!blank)
            line += text[i];
        else if (!line.empty() && line.back() != ' ')
            line += ' ';
    }
    line.resize(trimmed(line).size());
    if (line.size() <= max_words) return line;
    return std::string(cut(line, max_words)) + "...";
}

std::string text_of(const Json& json, const char* key)
{
    const auto at = json.find(key);
    if (at == json.end()) return {};
    if (at->is_string()) return one_line(at->get_ref<const std::string&>());
    if (at->is_number_integer()) return at->dump();
    return {};
}

std::string with_number(const std::string& words, const std::string& number)
{
    if (words.empty()) return number.empty() ? words : "error " + number;
    return number.empty() ? words : words + " (" + number + ")";
}

// {"error":{"value":1013,"name":"INVALID_TOKEN"},"message":"INVALID_TOKEN"}
std::string named_error(const Json& json)
{
    const auto error = json.find("error");
    if (error == json.end()) return {};
    if (error->is_string()) return one_line(error->get_ref<const std::string&>());
    if (!error->is_object()) return {};
    const auto name = text_of(*error, "name");
    const auto message = text_of(json, "message");
    const auto words = message.empty() || message == name ? name : name.empty() ? message : name + ": " + message;
    return with_number(words, text_of(*error, "value"));
}

// {"type":"APIError","code":7001,"message":"..."}
std::string coded_error(const Json& json)
{
    return with_number(text_of(json, "message"), text_of(json, "code"));
}

// {"result":[],"errors":"content must be JSON deserializable!"}; a list of sentences is taken by its first
std::string listed_errors(const Json& json)
{
    const auto errors = json.find("errors");
    if (errors == json.end()) return {};
    if (errors->is_array() && !errors->empty() && errors->front().is_string())
        return one_line(errors->front().get_ref<const std::string&>());
    return text_of(json, "errors");
}

// RFC 9457
std::string problem(const Json& json)
{
    const auto detail = text_of(json, "detail");
    return detail.empty() ? text_of(json, "title") : detail;
}

constexpr auto shapes = std::to_array<std::string (*)(const Json&)>({named_error, listed_errors, coded_error, problem});

std::string describe_json(std::string_view body)
{
    // Deep nesting costs the parser memory alone: it keeps its own stack.
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) return {};
    for (const auto shape : shapes)
        if (auto words = shape(json); !words.empty()) return words;
    return {};
}

std::string describe_page(std::string_view page)
{
    const auto open = find_folded(page, "<title");
    const auto from = open == page.npos ? open : page.find('>', open);
    if (from == page.npos) return "an HTML page";
    const auto rest = page.substr(from + 1);
    const auto title = one_line(rest.substr(0, rest.find('<')));
    return title.empty() ? "an HTML page" : "an HTML page titled \"" + title + "\"";
}

const char* hint_of(const Reply& reply)
{
    const Fault fault = fault_of(reply.status);
    if (fault == Fault::key_rejected)
        return "check the API key: the credential alli-api-key, ALLI_API_KEY or upstream.api_key_file, and that the "
               "key "
               "belongs to upstream.url";
    if (fault == Fault::unavailable) return "upstream is busy or in trouble; try again later";
    if (fault == Fault::bad_reply || is_html(reply)) return url_hint;
    return "upstream did not accept this request";
}

} // namespace

bool is_html(const Reply& reply) noexcept
{
    const std::string* type = reply.header("Content-Type");
    const auto start = trimmed(std::string_view(reply.body).substr(0, 512));
    if (begins_with(start, "<!doctype html") || begins_with(start, "<html")) return true;
    // A media type that says so, unless it is empty, or JSON all the same.
    return type && begins_with(trimmed(*type), "text/html") && !start.empty() && start.front() != '{' &&
           start.front() != '[';
}

std::string describe_error(const Reply& reply)
{
    const auto body = std::string_view(reply.body).substr(0, max_read);
    if (auto words = describe_json(body); !words.empty()) return words;
    const auto start = trimmed(body);
    if (start.starts_with('<')) return describe_page(start);
    if (start.starts_with('{') || start.starts_with('[')) return "JSON without a message";
    auto words = one_line(start);
    return words.empty() ? "an empty answer" : words;
}

Fault fault_of(int status) noexcept
{
    if (status == 401 || status == 403) return Fault::key_rejected;
    if (status == 408 || status == 425 || status == 429 || status >= 500) return Fault::unavailable;
    return status >= 400 ? Fault::refused : Fault::bad_reply;
}

void require_success(const Reply& reply, std::string_view what)
{
    if (reply.status >= 200 && reply.status < 300) return;
    if (reply.status >= 300 && reply.status < 400)
        throw Error(Fault::bad_reply, "redirects are not followed; set upstream.url to the address of the API itself",
                    "upstream answered {} with a redirect ({})", what, reply.status);
    throw Error(fault_of(reply.status), hint_of(reply), "upstream answered {} with {}: {}", what, reply.status,
                describe_error(reply));
}

void require_answer(const Reply& reply, std::string_view what)
{
    require_success(reply, what);
    if (!is_html(reply)) return;
    throw Error(Fault::bad_reply, url_hint, "upstream answered {} with {}", what, describe_page(reply.body));
}

} // namespace alli::upstream
