// SPDX-License-Identifier: Apache-2.0
// A segment gives back what was packed, byte for byte, and nothing else than that.
#include "cache/chats/segment.hpp"

#include "alli/random.hpp"
#include "tests/support/make.hpp"

#include <gmock/gmock.h>

namespace alli::cache {
namespace {

struct Made {
    std::string id, raw;
};

std::vector<PackedChat> views(const std::vector<Made>& made)
{
    std::vector<PackedChat> chats;
    for (const Made& one : made) chats.push_back({one.id, one.raw});
    return chats;
}

void expect_back(const std::vector<Made>& made)
{
    const UnpackedSegment segment(pack_segment(views(made)));
    ASSERT_EQ(segment.chats().size(), made.size());
    for (std::size_t n = 0; n < made.size(); ++n) {
        EXPECT_EQ(segment.chats()[n].id, made[n].id);
        EXPECT_EQ(segment.chats()[n].raw, made[n].raw);
    }
}

std::vector<Made> usual_chats(int count)
{
    std::vector<Made> made;
    for (int n = 0; n < count; ++n) {
        const Chat chat = support::make_chat("c", n, 1000 + n, "여행 온천 " + std::to_string(n) + " の宿, and so on");
        made.push_back({chat.id.value, chat.raw});
    }
    return made;
}

TEST(Segment, GivesBackWhatWasPacked)
{
    for (const int count : {0, 1, 2, 19, 20}) expect_back(usual_chats(count));
}

TEST(Segment, KeepsAnyBytesAndIdsThatStandInNoText)
{
    std::string every;
    for (int c = 0; c < 256; ++c) every += static_cast<char>(c);
    expect_back({{"id of its own", "{}"},
                 {"", "{\"message\":\"no id\"}"},
                 {std::string("a\0b", 3), std::string("{\"id\":\"a\\u0000b\"}")},
                 {"x", ""}, // none at that ordinal
                 {every, every + every},
                 {"{", "{"},
                 {"far", std::string(300'000, ' ') + "far"}});
}

TEST(Segment, KeepsRandomTexts)
{
    constexpr std::uint64_t seed = 20;
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    for (int round = 0; round < 500; ++round) {
        std::vector<Made> made(random.below(21));
        for (Made& one : made) {
            one.raw = random.bytes(1 + random.below(400));
            one.id = random.below(2) == 0 ? one.raw.substr(random.below(one.raw.size()), random.below(20))
                                          : random.bytes(random.below(40));
        }
        expect_back(made);
    }
}

TEST(Segment, TakesHalfTheRoomOfOrdinaryChats)
{
    std::size_t plain = 0;
    const auto made = usual_chats(20);
    for (const Made& one : made) plain += one.raw.size();
    EXPECT_LT(pack_segment(views(made)).size(), plain / 2);
}

TEST(Segment, ThatIsCutShortOrAlteredIsNotUnpackedToAnythingElse)
{
    const auto made = usual_chats(7);
    const std::string packed = pack_segment(views(made));
    for (std::size_t size = 0; size < packed.size(); ++size)
        EXPECT_THROW(UnpackedSegment{packed.substr(0, size)}, DamagedSegment) << size;
    EXPECT_THROW(UnpackedSegment{packed + '\0'}, DamagedSegment);
    int harmless = 0; // bits of the frame's header that mean nothing
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        std::string altered = packed;
        altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << bit % 8));
        try {
            const UnpackedSegment segment(altered);
            ++harmless;
            ASSERT_EQ(segment.chats().size(), made.size()) << bit;
            for (std::size_t n = 0; n < made.size(); ++n) EXPECT_EQ(segment.chats()[n].raw, made[n].raw) << bit;
        } catch (const DamagedSegment&) {
        }
    }
    EXPECT_LE(harmless, 4);
}

TEST(Segment, OfRandomBytesIsRefused)
{
    constexpr std::uint64_t seed = 21;
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    const std::string begin = pack_segment(views(usual_chats(2))).substr(0, 6);
    for (int round = 0; round < 20'000; ++round) {
        EXPECT_THROW(UnpackedSegment{'\x01' + random.bytes(random.below(60))}, DamagedSegment);
        EXPECT_THROW(UnpackedSegment{begin + random.bytes(random.below(60))}, DamagedSegment);
    }
}

TEST(Segment, IsFoundInFrontOfOtherBytes)
{
    const std::string packed = pack_segment(views(usual_chats(20)));
    EXPECT_THAT(unpack_remains(packed + "and what follows"), testing::HasSubstr("온천 19 の宿"));
    EXPECT_EQ(unpack_remains("nothing of the kind"), "");
    EXPECT_EQ(unpack_remains(packed.substr(1)), "");
}

// What a version of the program wrote, every later one reads: the skeleton is part of the format.
TEST(Segment, OfTheFirstVersionIsReadForEver)
{
    const std::string raw =
        R"({"id":"Q2hhdDox","sender":"USER","message":"안녕","rating":null,"type":"text","completed":true})";
    constexpr std::string_view hex = "0128b52ffd2465ed0000600161080878ec9588eb85952205006888e07511d3593300ee1a900511"
                                     "1693b8a3";
    std::string packed;
    for (std::size_t at = 0; at < hex.size(); at += 2)
        packed += static_cast<char>(std::stoi(std::string(hex.substr(at, 2)), nullptr, 16));
    const UnpackedSegment segment(packed);
    ASSERT_EQ(segment.chats().size(), 1U);
    EXPECT_EQ(segment.chats()[0].id, "Q2hhdDox");
    EXPECT_EQ(segment.chats()[0].raw, raw);
}

} // namespace
} // namespace alli::cache
