// SPDX-License-Identifier: Apache-2.0
// The directory of a program that dies: what it did to its files after that moment is not done. A kill leaves what was
// written; a power cut what was synced, and of the rest what the disk happens to hold.
#pragma once

#include "tests/support/recording_vfs.hpp"
#include "tests/support/temp_dir.hpp"

#include <memory>
#include <string>

namespace simulation {

class DyingDisk {
  public:
    explicit DyingDisk(std::uint64_t seed);

    /// Where the program's files are; another directory after a power cut.
    const std::string& directory() const { return directory_; }

    /// The program dies now. `loss`: what the disk loses; Loss::nothing: it is a kill.
    void die(support::Loss loss) { die(loss, calls()); }
    /// It died after so many calls of this life already.
    void die(support::Loss loss, std::size_t calls);
    std::size_t calls() const { return vfs_->log().size(); }
    /// Once all that had the files open is gone: they are as that death left them.
    void restore();
    /// Likewise: a page of this file is zeros now, one of a tree, so that whoever reads it notices. False: it has none.
    bool damage(const std::string& file);

  private:
    void begin(std::string name);
    void put_back(const std::string& image);

    support::TempDir dir_;
    alli::SeededRandom random_;
    std::string directory_;
    std::unique_ptr<support::RecordingVfs> vfs_;
    support::DiskModel disk_;
    std::size_t calls_ = 0; // that were done when it died
    support::Loss loss_ = support::Loss::nothing;
    int lives_ = 0;
};

} // namespace simulation
