// SPDX-License-Identifier: Apache-2.0
// Bytes of a connection, one request after the other: header block, framing, body. Whatever comes, it is understood the
// same way when it arrives in pieces, nothing of one request is taken for the next, and what passed is clean.
#include "http/chunks.hpp"
#include "http/framing.hpp"
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace alli::http;

namespace {

constexpr int most_requests = 8;

// What is understood of the bytes, written down; the first reading gets them `at_once` more at a time.
struct Story {
    std::string text;
    std::size_t used = 0; // bytes that were understood
};

bool read_head(std::string_view bytes, std::size_t at_once, Story& story, RequestFraming& framing)
{
    RequestParser parser(RequestLimits{});
    RequestParser::Result result = RequestParser::Result::more;
    for (std::size_t size = std::min(at_once, bytes.size()); result == RequestParser::Result::more;
         size = std::min(size + at_once, bytes.size())) {
        result = parser.read(bytes.substr(0, size));
        if (size == bytes.size()) break;
    }
    if (result == RequestParser::Result::refused) story.text += "refused " + std::to_string(parser.refusal().status);
    if (result != RequestParser::Result::done) return false;
    const RequestHead head = parser.take(bytes);
    const std::string_view block = bytes.substr(0, parser.size());
    fuzz::require(block.ends_with("\r\n\r\n"), "a header block ends with an empty line");
    fuzz::require(block.find("\r\n\r\n") == block.size() - 4, "and has no other");
    fuzz::require(std::count(block.begin(), block.end(), '\n') == std::count(block.begin(), block.end(), '\r'),
                  "every line ends with CR LF");
    fuzz::require(block.find('\0') == block.npos, "no NUL passes");
    const auto lines = head.headers.size();
    fuzz::require(static_cast<std::size_t>(std::count(block.begin(), block.end(), '\n')) == lines + 2,
                  "every line is a field of its own");
    story.used += parser.size();
    story.text.append(block);
    const auto verdict = read_framing(head);
    if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
        story.text += "refused " + std::to_string(refusal->status);
        return false;
    }
    framing = std::get<RequestFraming>(verdict);
    fuzz::require(!(framing.chunked && framing.length > 0), "there is one way to tell where a body ends");
    return true;
}

bool read_chunks(std::string_view bytes, std::size_t at_once, Story& story)
{
    ChunkReader reader;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto piece = reader.read(bytes.substr(at, at_once));
        fuzz::require(piece.framing + piece.data <= std::min(at_once, bytes.size() - at), "nothing is read twice");
        if (piece.result == ChunkReader::Result::refused) {
            story.text += "refused";
            return false;
        }
        story.text += bytes.substr(at + piece.framing, piece.data);
        at += piece.framing + piece.data;
        story.used += piece.framing + piece.data;
        if (piece.result == ChunkReader::Result::done) return true;
    }
    return false;
}

bool read_body(std::string_view bytes, std::size_t at_once, Story& story, const RequestFraming& framing)
{
    if (framing.chunked) return read_chunks(bytes, at_once, story);
    if (framing.length > bytes.size()) return false;
    story.text += bytes.substr(0, framing.length);
    story.used += framing.length;
    return true;
}

std::string understand(std::string_view bytes, std::size_t at_once)
{
    Story story;
    for (int i = 0; i < most_requests && story.used < bytes.size(); ++i) {
        RequestFraming framing;
        if (!read_head(bytes.substr(story.used), at_once, story, framing)) break;
        if (!read_body(bytes.substr(story.used), at_once, story, framing)) break;
        story.text += "|";
        if (!framing.keep_alive) break;
    }
    return story.text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes = fuzz::text_of(data, size);
    const std::string whole = understand(bytes, size + 1);
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{7}})
        fuzz::require(understand(bytes, at_once) == whole, "it does not matter how the bytes arrive");
    return 0;
}
