// SPDX-License-Identifier: Apache-2.0
// A fuzz target without libFuzzer: the seeds, then inputs made from them. The same ones at every run.
#include "tests/fuzz/target.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr int made_inputs = 2000;
constexpr std::size_t longest = 2000;

std::vector<std::string> read_seeds(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> seeds;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return seeds;
}

/// A piece of one seed put into another, and a few bytes changed.
std::string make_input(const std::vector<std::string>& seeds, std::mt19937& random)
{
    const auto below = [&](std::size_t end) { return end == 0 ? 0 : random() % end; };
    std::string input = seeds[below(seeds.size())];
    const std::string& other = seeds[below(seeds.size())];
    const std::size_t from = below(other.size() + 1);
    input.insert(below(input.size() + 1), other.substr(from, below(other.size() - from + 1)));
    for (std::size_t changes = below(4); changes > 0 && !input.empty(); --changes)
        input[below(input.size())] = static_cast<char>(random());
    if (input.size() > longest) input.resize(longest);
    return input;
}

void run(const std::string& input)
{
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

} // namespace

int main(int count, char** words)
{
    if (count != 2) return 2;
    const auto seeds = read_seeds(words[1]);
    if (seeds.empty()) return 1;
    run("");
    for (const std::string& seed : seeds) run(seed);
    std::mt19937 random(1);
    for (int n = 0; n < made_inputs; ++n) run(make_input(seeds, random));
    std::printf("%zu seeds and %d inputs made of them\n", seeds.size(), made_inputs);
}
