// SPDX-License-Identifier: Apache-2.0
#include "alli/random.hpp"

#include "alli/error.hpp"

#include <sys/random.h>

namespace alli {

double Random::unit()
{
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t Random::below(std::uint64_t bound)
{
    // 128-bit multiply: no modulo bias that anybody could measure, no loop.
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
}

std::string Random::bytes(std::size_t count)
{
    std::string out;
    out.reserve(count);
    while (out.size() < count) {
        std::uint64_t word = next();
        for (int i = 0; i < 8 && out.size() < count; ++i, word >>= 8) out.push_back(static_cast<char>(word & 0xff));
    }
    return out;
}

std::uint64_t SystemRandom::next()
{
    std::uint64_t word = 0;
    if (getrandom(&word, sizeof word, 0) != sizeof word)
        throw Error(Fault::io, "the kernel's random generator must be reachable", "getrandom gave no bytes");
    return word;
}

std::uint64_t SeededRandom::next()
{
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

} // namespace alli
