// SPDX-License-Identifier: Apache-2.0
// In the copy alone: whether the planted mistake of that number is made in this process ($ALLI_MUTANT). With
// $ALLI_MUTANT_TRACE each number that a test reaches is written to that file, with the test's name.
#pragma once

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

extern "C" [[gnu::weak]] const char* alli_mutant_test() noexcept; // the running test; the test programs have it

namespace alli::mutants {

inline constexpr std::size_t most = 8192;
inline std::array<std::atomic<const char*>, most> reached_by{};

inline void note_reached(const char* path, int number) noexcept
{
    const char* test = alli_mutant_test != nullptr ? alli_mutant_test() : nullptr;
    if (test == nullptr || reached_by[static_cast<std::size_t>(number) % most].exchange(test) == test) return;
    std::FILE* file = std::fopen(path, "a");
    if (file == nullptr) return;
    std::fprintf(file, "%d %s\n", number, test);
    std::fclose(file);
}

} // namespace alli::mutants

inline bool alli_mutant(int number) noexcept
{
    static const char* const chosen = std::getenv("ALLI_MUTANT");
    static const int planted = chosen != nullptr ? std::atoi(chosen) : 0;
    static const char* const trace = std::getenv("ALLI_MUTANT_TRACE");
    if (trace != nullptr) alli::mutants::note_reached(trace, number);
    return number == planted;
}
