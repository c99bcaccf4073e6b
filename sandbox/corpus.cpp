// SPDX-License-Identifier: Apache-2.0
// Real dialogues from a file: one JSON object a line.
#include "sandbox/dialogues.hpp"

#include "alli/error.hpp"
#include "sandbox/encoding.hpp"

#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

namespace alli::sandbox {
namespace {

using File = std::unique_ptr<gzFile_s, decltype(&gzclose)>;

// zlib reads what is not compressed as it is.
void each_line(const std::string& path, const std::function<void(const std::string&)>& take)
{
    const File file{gzopen(path.c_str(), "rb"), &gzclose};
    if (!file) throw Error(Fault::settings, "name a JSONL file, plain or gzip", "the corpus {} cannot be opened", path);
    std::array<char, 64 * 1024> block;
    std::string line;
    int count = 0;
    while ((count = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()))) > 0) {
        for (const char c : std::string_view{block.data(), static_cast<std::size_t>(count)}) {
            if (c != '\n') {
                line.push_back(c);
                continue;
            }
            take(line);
            line.clear();
        }
    }
    int trouble = Z_OK;
    gzerror(file.get(), &trouble);
    if (count < 0 || (trouble != Z_OK && trouble != Z_STREAM_END))
        throw Error(Fault::settings, "the file is damaged or no file: get it again", "the corpus {} cannot be read",
                    path);
    if (!line.empty()) take(line);
}

Turn read_turn(const nlohmann::json& turn)
{
    Turn read{turn.at("sender").get<std::string>(), turn.at("text").get<std::string>(), std::nullopt};
    if (const auto rating = turn.find("rating"); rating != turn.end() && rating->is_boolean())
        read.rating = rating->get<bool>();
    return read;
}

Dialogue read_dialogue(const std::string& line)
{
    const auto json = nlohmann::json::parse(line);
    Dialogue dialogue{.lang = json.value("lang", "en"), .topic = ""};
    for (const auto& turn : json.at("turns")) dialogue.turns.push_back(read_turn(turn));
    if (const auto age = json.find("age"); age != json.end())
        dialogue.age = std::chrono::seconds{std::max<std::int64_t>(age->get<std::int64_t>(), 0)};
    if (!dialogue.turns.empty()) dialogue.title = first_characters(dialogue.turns.front().text, 40);
    return dialogue;
}

} // namespace

std::vector<Dialogue> read_corpus(const std::string& path)
{
    std::vector<Dialogue> dialogues;
    std::size_t number = 0;
    each_line(path, [&](const std::string& line) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) return;
        try {
            dialogues.push_back(read_dialogue(line));
        } catch (const nlohmann::json::exception&) {
            throw Error(Fault::settings, "each line is {\"lang\":..,\"turns\":[{\"sender\":..,\"text\":..}]}",
                        "line {} of the corpus {} is no dialogue", number, path);
        }
    });
    if (dialogues.empty())
        throw Error(Fault::settings, "name a JSONL file, plain or gzip", "the corpus {} is empty", path);
    return dialogues;
}

} // namespace alli::sandbox
