// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/highlight.hpp"

#include "cache/search/query_parser.hpp"
#include "cache/text/highlight.hpp"
#include "proxy/access/http.hpp"
#include "proxy/endpoints/search_body.hpp"
#include "proxy/request/half_pairs.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

constexpr std::size_t most_texts = 1000, most_ranges = 5000; // of all texts together
constexpr std::size_t most_phrases = 64;                     // each is looked for everywhere

struct Asked {
    std::string query;
    std::vector<std::string> texts;
};

[[noreturn]] void refuse(std::string_view sentence)
{
    throw Error(Fault::usage, R"(for example {"q": "hotel", "texts": ["A hotel by the sea"]})", "{}", sentence);
}

Asked read_body(std::string body)
{
    replace_half_pairs(body);
    const json made = json::parse(body, nullptr, false);
    if (!made.is_object()) refuse("the body must be a JSON object");
    for (const auto& [name, value] : made.items())
        if (name != "q" && name != "texts") refuse("a request for highlights takes q and texts");
    const auto query = made.find("q"), texts = made.find("texts");
    if (query == made.end() || !query->is_string()) refuse("q must be a string");
    if (texts == made.end() || !texts->is_array() || texts->size() > most_texts)
        refuse("texts must be a list of at most 1000 strings");
    Asked asked{query->get<std::string>(), {}};
    for (const json& text : *texts) {
        if (!text.is_string()) refuse("texts must be a list of at most 1000 strings");
        asked.texts.push_back(text.get<std::string>());
    }
    return asked;
}

std::string ranges_json(const Asked& asked)
{
    auto wanted = cache::parse_search_query(asked.query, {}, Instant()).wanted();
    if (wanted.size() > most_phrases) wanted.resize(most_phrases);
    std::size_t room = most_ranges;
    json all = json::array();
    for (const std::string& text : asked.texts) {
        json ranges = json::array();
        for (const cache::TextRange& range : cache::find_highlights(text, wanted, room))
            ranges.push_back(json::array({range.begin, range.end}));
        room -= ranges.size();
        all.push_back(std::move(ranges));
    }
    return json{{"ranges", std::move(all)}}.dump();
}

} // namespace

Task<Response> highlight_texts(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    if (!is_json_type(rq.header("Content-Type"))) throw Refused({415, "the body must be of type application/json"});
    if (!rq.query().empty())
        throw Error(Fault::usage, "put them into the JSON object", "a request for highlights takes them in its body");
    const Asked asked = read_body(rq.body);
    const auto job = [&asked](cache::Reader&) { return ranges_json(asked); };
    std::string body = co_await cx.store.read_long(job); // no read, but long: not on a loop
    co_return text_response("application/json", std::move(body));
}

} // namespace alli::proxy
