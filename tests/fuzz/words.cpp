// SPDX-License-Identifier: Apache-2.0
// The reader of messages: any bytes as a chat's JSON, and as the message within one.
#include "cache/text/words.hpp"
#include "tests/fuzz/target.hpp"

#include <nlohmann/json.hpp>

using namespace alli::cache;

static void check_as_message(std::string_view text)
{
    nlohmann::json chat;
    chat["message"] = text;
    chat["citations"] = nlohmann::json::array({{{"title", text}, {"text", text}}});
    const std::string raw = chat.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const ChatWords words = words_of_chat(raw);
    fuzz::require(words == words_of_chat(raw), "what is indexed can be removed again");
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::text_of(data, size);
    words_of_chat(text);
    fuzz::require(readable(text) == readable(std::string(text)), "a message reads the same again");
    check_as_message(text);
    return 0;
}
