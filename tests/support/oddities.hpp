// SPDX-License-Identifier: Apache-2.0
// What a service may send though its contract says otherwise: values for one member of a page, each by itself
// followable from its first byte to its last.
#pragma once

#include <string>
#include <vector>

namespace support {

struct Oddity {
    std::string name, value; // as it stands in the JSON
};

/// Values that hardly any member of a contract has.
inline std::vector<Oddity> odd_values()
{
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + "1" + std::string(depth, ']'); };
    const auto objects = [](std::size_t depth) {
        std::string text;
        for (std::size_t i = 0; i < depth; ++i) text += "{\"a\":";
        return text + "1" + std::string(depth, '}');
    };
    return {{"half an emoji", R"("word \ud83d")"},
            {"a low surrogate first", R"("\ude00 word \ud83d\ud83d")"},
            {"a half surrogate before a letter", R"("\ud83dA word")"},
            {"an escape that JSON lacks", R"("word \x41 \' \q")"},
            {"an escape without digits", R"("word \u12 \uZZZZ")"},
            {"30 digits", "123456789012345678901234567890"},
            {"30 digits in a string", R"("123456789012345678901234567890")"},
            {"1e400", "1e400"},
            {"-1e400", "-1e400"},
            {"NaN", "NaN"},
            {"Infinity", "Infinity"},
            {"-Infinity", "-Infinity"},
            {"undefined", "undefined"},
            {"None", "None"},
            {"True", "True"},
            {"a number with zeros before it", "007"},
            {"hexadecimal", "0xff"},
            {"a number with a plus", "+1"},
            {"a number without an end", "1."},
            {"half a minus", "-"},
            {"a very long number", std::string(5'000, '7')},
            {"bytes that are no UTF-8", "\"word \xff\xfe \xc3\""},
            {"an overlong slash", "\"word \xc0\xaf\""},
            {"a surrogate in UTF-8", "\"word \xed\xa0\xbd\""},
            {"Latin-1", "\"word caf\xe9\""},
            {"a raw line end", "\"word \n word\""},
            {"a raw tab and an escape", "\"word \t \x1b[31m\""},
            {"a raw NUL", std::string("\"word \0 word\"", 13)},
            {"a raw DEL", "\"word \x7f\""},
            {"an escaped NUL", R"("word \u0000 word")"},
            {"brackets in a string", R"("word ]}{[ \" \\")"},
            {"5,000 deep", nested(5'000)},
            {"100,000 deep", nested(100'000)},
            {"objects 5,000 deep", objects(5'000)},
            {"objects 100,000 deep", objects(100'000)},
            {"a trailing comma", "[1,2,]"},
            {"commas alone", "[,,]"},
            {"no comma", R"({"a":1 "b":2})"},
            {"no value", R"({"a":,"b"})"},
            {"names without quotes", R"({a:1, b:[x y]})"},
            {"a name that is no UTF-8", "{\"\xff\":1}"},
            {"names twice", R"({"a":1,"a":2})"},
            {"null", "null"},
            {"true", "true"},
            {"zero", "0"},
            {"minus one", "-1"},
            {"a fraction", "1.5"},
            {"an empty string", R"("")"},
            {"a string", R"("word")"},
            {"a number in a string", R"("7")"},
            {"an empty object", "{}"},
            {"an empty array", "[]"},
            {"an object", R"({"name":"word","$oid":"x"})"},
            {"an array of objects", R"([{"name":"word"},null,7])"},
            {"nothing at all", ""}};
}

} // namespace support
