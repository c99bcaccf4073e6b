// SPDX-License-Identifier: Apache-2.0
#include "upstream/running.hpp"

#include "alli/error.hpp"

#include <nlohmann/json.hpp>

namespace alli::upstream {

bool read_running(const std::string& body)
{
    auto json = nlohmann::json::parse(body, nullptr, false);
    if (json.is_object() && !json.contains("isRunning") && json.contains("result"))
        json = nlohmann::json(json["result"]);
    const auto at = json.is_object() ? json.find("isRunning") : json.end();
    if (at == json.end() || !at->is_boolean())
        throw Error(Fault::bad_reply, "what answered is not what the API's contract says",
                    "upstream's answer whether a conversation is running has no \"isRunning\"");
    return at->get<bool>();
}

} // namespace alli::upstream
