// SPDX-License-Identifier: Apache-2.0
// The digests that keys and seals are made of, against published ones (FIPS 180-4, RFC 4231).
#include "alli/digest.hpp"

#include <spdlog/fmt/fmt.h>

#include <gtest/gtest.h>

#include <thread>

namespace alli {
namespace {

std::string hex(const Digest& digest)
{
    std::string text;
    for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
    return text;
}

constexpr const char* of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Digest, IsWhatItIsEverywhere)
{
    EXPECT_EQ(hex(sha256("abc")), of_abc);
    EXPECT_EQ(hex(sha256("")), of_nothing) << "nothing of the one before is left";
    EXPECT_EQ(hex(sha256("abc")), of_abc);
    std::thread other([] { EXPECT_EQ(hex(sha256("abc")), of_abc); });
    other.join();
    EXPECT_EQ(hex(seal("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

} // namespace
} // namespace alli
