// SPDX-License-Identifier: Apache-2.0
// Header blocks, framing and chunks are read strictly, whole and cut anywhere.
#include "http/chunks.hpp"
#include "http/framing.hpp"

#include <gtest/gtest.h>

namespace alli::http {
namespace {

using namespace std::string_literals;

// 0: it wants more; 200: a header block.
int read_whole(const std::string& text)
{
    RequestParser parser(RequestLimits{});
    const auto result = parser.read(text);
    if (result == RequestParser::Result::refused) return parser.refusal().status;
    return result == RequestParser::Result::done ? 200 : 0;
}

int read_byte_by_byte(const std::string& text)
{
    RequestParser parser(RequestLimits{});
    for (std::size_t size = 1; size <= text.size(); ++size) {
        const auto result = parser.read(std::string_view(text).substr(0, size));
        if (result == RequestParser::Result::refused) return parser.refusal().status;
        if (result == RequestParser::Result::done) return 200;
    }
    return 0;
}

struct Row {
    std::string text;
    int status;
};

TEST(RequestParser, AcceptsTheGrammarAndNothingElse)
{
    const std::string line = "GET / HTTP/1.1\r\n";
    const std::vector<Row> rows{
        {line + "\r\n", 200},
        {line + "A: b\r\nC:\td e \r\n\r\n", 200},
        {line + "A:\r\n\r\n", 200},
        {line + "A: \xc3\xa9\r\n\r\n", 200},
        {"GET / HTTP/1.0\r\n\r\n", 200},
        {line + "A: b\r\n", 0},
        {"GET /\r\n", 400},
        {"GET / HTTP/1.1\n", 400},
        {line + "A: b\nC: d\r\n\r\n", 400},
        {line + "A: b\rc\r\n\r\n", 400},
        {line + "A: b\0c\r\n\r\n"s, 400},
        {line + "A: \x0b\r\n\r\n", 400},
        {line + "A: b\r\n c\r\n\r\n", 400},
        {line + " A: b\r\n\r\n", 400},
        {line + "A : b\r\n\r\n", 400},
        {line + ": b\r\n\r\n", 400},
        {line + "nothing\r\n\r\n", 400},
        {line + "A(: b\r\n\r\n", 400},
        {"\r\n" + line + "\r\n", 400},
        {"\n" + line + "\r\n", 400},
        {" " + line + "\r\n", 400},
        {"GET  / HTTP/1.1\r\n\r\n", 400},
        {"GET\t/ HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\rX", 400},
        {"G(T / HTTP/1.1\r\n\r\n", 400},
        {"GET /\xff HTTP/1.1\r\n\r\n", 400},
        {"GET / http/1.1\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"GET / HTTX/1.1\r\n\r\n", 400},
        {"\x16\x03\x01\x02\x00\x01"s, 400},
    };
    for (const Row& row : rows) {
        EXPECT_EQ(read_whole(row.text), row.status) << row.text;
        EXPECT_EQ(read_byte_by_byte(row.text), row.status) << row.text;
    }
}

TEST(RequestParser, StopsAtTheLimits)
{
    const auto with_target = [](std::size_t size) {
        return "GET /" + std::string(size - 1, 'x') + " HTTP/1.1\r\n\r\n";
    };
    EXPECT_EQ(read_whole(with_target(8192)), 200);
    EXPECT_EQ(read_whole(with_target(8193)), 414);
    const auto with_block = [](std::size_t size) {
        const std::string line = "GET / HTTP/1.1\r\nA: ";
        return line + std::string(size - line.size() - 4, 'x') + "\r\n\r\n";
    };
    EXPECT_EQ(read_whole(with_block(16 * 1024)), 200);
    EXPECT_EQ(read_whole(with_block(16 * 1024 + 1)), 431);
    std::string many = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 100; ++i) many += "A: b\r\n";
    EXPECT_EQ(read_whole(many + "\r\n"), 200);
    EXPECT_EQ(read_whole(many + "A: b\r\n\r\n"), 431);
}

TEST(RequestParser, TakesTheBlockApart)
{
    const std::string text = "POST /a?b HTTP/1.0\r\nHost:  x \r\nX-Two: 1\r\nX-Two: 2\r\nEmpty:\r\n\r\nbody";
    RequestParser parser(RequestLimits{});
    ASSERT_EQ(parser.read(text), RequestParser::Result::done);
    EXPECT_EQ(text.substr(parser.size()), "body");
    const RequestHead head = parser.take(text);
    EXPECT_EQ(head.method, "POST");
    EXPECT_EQ(head.target, "/a?b");
    EXPECT_EQ(head.version, 10);
    EXPECT_EQ(head.headers.first("host"), "x");
    EXPECT_EQ(head.headers.count("x-two"), 2u);
    EXPECT_EQ(*head.headers.find("Empty"), "");
    EXPECT_EQ(head.headers.size(), 4u);
}

RequestHead post(const std::string& lines, const std::string& version = "1.1")
{
    const std::string text = "POST / HTTP/" + version + "\r\n" + lines + "\r\n";
    RequestParser parser(RequestLimits{});
    EXPECT_EQ(parser.read(text), RequestParser::Result::done) << text;
    return parser.take(text);
}

int framing_status(const std::string& lines, const std::string& version = "1.1")
{
    const auto framing = read_framing(post(lines, version));
    const auto* refusal = std::get_if<Refusal>(&framing);
    return refusal ? refusal->status : 200;
}

TEST(Framing, RefusesWhatOthersMayReadDifferently)
{
    const std::vector<Row> rows{
        {"Content-Length: 3\r\n", 200},
        {"Transfer-Encoding: Chunked\r\n", 200},
        {"Content-Length: 3\r\nContent-Length: 3\r\n", 400},
        {"Content-Length: 3, 3\r\n", 400},
        {"Content-Length: +3\r\n", 400},
        {"Content-Length: -1\r\n", 400},
        {"Content-Length: 0x3\r\n", 400},
        {"Content-Length: 1_0\r\n", 400},
        {"Content-Length:\r\n", 400},
        {"Content-Length: 18446744073709551616\r\n", 400},
        {"Content-Length: 18446744073709551615\r\n", 400},
        {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding: chunked, chunked\r\n", 400},
        {"Transfer-Encoding: chunked, identity\r\n", 400},
        {"Transfer-Encoding: identity\r\n", 400},
        {"Transfer-Encoding: xchunked\r\n", 400},
        {"Transfer-Encoding: \"chunked\"\r\n", 400},
        {"Transfer-Encoding:\r\n", 400},
        {"Transfer-Encoding: ,chunked\r\n", 400},
        {"Transfer-Encoding: gzip, chunked\r\n", 501},
        {"Connection: API-KEY, Host\r\n", 400},
        {"Connection: Sec-Fetch-Site\r\n", 400},
        {"Connection: close, Upgrade\r\n", 200},
    };
    for (const Row& row : rows) EXPECT_EQ(framing_status(row.text), row.status) << row.text;
    EXPECT_EQ(framing_status("Transfer-Encoding: chunked\r\n", "1.0"), 400);
}

TEST(Framing, SaysWhetherTheConnectionIsKept)
{
    const auto goes_on = [](const std::string& lines, const std::string& version) {
        return std::get<RequestFraming>(read_framing(post(lines, version))).keep_alive;
    };
    EXPECT_TRUE(goes_on("", "1.1"));
    EXPECT_FALSE(goes_on("Connection: x, Close\r\n", "1.1"));
    EXPECT_FALSE(goes_on("", "1.0"));
    EXPECT_TRUE(goes_on("Connection: Keep-Alive\r\n", "1.0"));
    EXPECT_FALSE(goes_on("Connection: keep-alive\r\nConnection: close\r\n", "1.0"));
}

// The body and what is behind it, or none where it was refused or is not complete.
std::optional<std::pair<std::string, std::string>> read_chunks(std::string_view bytes, std::size_t at_once)
{
    ChunkReader reader;
    std::string body;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto piece = reader.read(bytes.substr(at, at_once));
        if (piece.result == ChunkReader::Result::refused) return std::nullopt;
        body += bytes.substr(at + piece.framing, piece.data);
        at += piece.framing + piece.data;
        if (piece.result == ChunkReader::Result::done) return std::pair{body, std::string(bytes.substr(at))};
    }
    return std::nullopt;
}

TEST(Chunks, AreReadWhereverTheyAreCut)
{
    const std::string text = "3;a=\"b\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nHost: evil\r\nX: y\r\n\r\nGET";
    for (std::size_t at_once = 1; at_once <= text.size(); ++at_once) {
        const auto read = read_chunks(text, at_once);
        ASSERT_TRUE(read) << at_once;
        EXPECT_EQ(read->first, "abc0123456789");
        EXPECT_EQ(read->second, "GET");
    }
}

TEST(Chunks, HaveNoTrailersThatAreAboutFraming)
{
    const auto with = [](const std::string& trailers) { return "1\r\na\r\n0\r\n" + trailers + "\r\n"; };
    for (const char* good : {"", "X: transfer-encoding\r\n", "Transfer-Encodings: chunked\r\n", "Content-Lengt: 1\r\n",
                             "a-name-that-is-longer-than-any-of-them: content-length\r\n", "Host: a\r\n"})
        EXPECT_TRUE(read_chunks(with(good), 1)) << good;
    for (const char* bad : {"Transfer-Encoding: chunked\r\n", "content-LENGTH:0\r\n", "X: y\r\nTRANSFER-ENCODING:\r\n"})
        for (const std::size_t at_once : {1U, 99U}) EXPECT_FALSE(read_chunks(with(bad), at_once)) << bad;
}

TEST(Chunks, AreRefusedWhereOthersMayReadThemDifferently)
{
    const std::string end = "\r\nabc\r\n0\r\n\r\n";
    ASSERT_TRUE(read_chunks("3" + end, 99));
    std::string many;
    for (int i = 0; i < 5; ++i) many += "1;" + std::string(250, 'x') + "\r\na\r\n";
    for (const std::string& bad :
         {"0x3" + end, "3 " + end, "-3" + end, "+3" + end, "\r\n3" + end, std::string(17, '0').append("3" + end),
          "FFFFFFFFFFFFFFFF" + end, "3;" + std::string(257, 'x') + end, many + "0\r\n\r\n",
          std::string("3\nabc\n0\n\n"), std::string("3\r\nabcd\r\n0\r\n\r\n"), std::string("3\r\nab\r\n0\r\n\r\n"),
          "3;a\nb" + end, "3;a\rb" + end, std::string("3\r\nabc0\r\n\r\n"), std::string("0\r\nA : b\r\n\r\n"),
          std::string("0\r\n\n"), "0\r\nA: " + std::string(17000, 'x') + "\r\n\r\n", ";a" + end})
        EXPECT_FALSE(read_chunks(bad, 99)) << bad.substr(0, 40);
}

} // namespace
} // namespace alli::http
