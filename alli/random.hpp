// SPDX-License-Identifier: Apache-2.0
// The one source of randomness (jitter, ids, salts, sandbox dialogues), to inject. Not shared between threads.
#pragma once

#include <cstdint>
#include <string>

namespace alli {

class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;

    double unit();                            // [0, 1)
    std::uint64_t below(std::uint64_t bound); // [0, bound), bound > 0
    std::string bytes(std::size_t count);
};

/// The kernel's generator: for salts, tokens and jitter in a running daemon.
class SystemRandom final : public Random {
  public:
    std::uint64_t next() override;
};

/// Everything from one seed (splitmix64): for simulation, tests and the sandbox.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() override;

  private:
    std::uint64_t state_;
};

} // namespace alli
