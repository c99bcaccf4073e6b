// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/dying_disk.hpp"

#include <filesystem>
#include <fstream>

namespace simulation {

namespace fs = std::filesystem;

DyingDisk::DyingDisk(std::uint64_t seed) : random_(seed)
{
    begin("life0");
}

void DyingDisk::begin(std::string name)
{
    directory_ = dir_ / name;
    fs::create_directories(directory_);
    disk_ = support::DiskModel();
    disk_.load(directory_);
    vfs_ = std::make_unique<support::RecordingVfs>(directory_);
}

void DyingDisk::die(support::Loss loss, std::size_t calls)
{
    calls_ = calls;
    loss_ = loss;
}

void DyingDisk::restore()
{
    for (std::size_t n = 0; n < calls_; ++n) disk_.apply(vfs_->log()[n]);
    vfs_.reset();
    const std::string image = dir_ / ("life" + std::to_string(++lives_));
    fs::create_directories(image);
    disk_.write_remains(image, loss_, random_);
    if (loss_ != support::Loss::nothing) {
        fs::remove_all(directory_);
        return begin("life" + std::to_string(lives_));
    }
    put_back(image);
    fs::remove_all(image);
    vfs_ = std::make_unique<support::RecordingVfs>(directory_);
}

// Into the files that there are: by their inode the program knows them again.
void DyingDisk::put_back(const std::string& image)
{
    for (const auto& entry : fs::directory_iterator(directory_))
        if (!fs::exists(fs::path(image) / entry.path().filename())) fs::remove_all(entry.path());
    for (const auto& entry : fs::directory_iterator(image)) {
        std::ifstream from(entry.path(), std::ios::binary);
        std::ofstream to(fs::path(directory_) / entry.path().filename(), std::ios::binary | std::ios::trunc);
        if (fs::file_size(entry.path()) > 0) to << from.rdbuf();
    }
}

} // namespace simulation
