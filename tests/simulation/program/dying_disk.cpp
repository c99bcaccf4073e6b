// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/program/dying_disk.hpp"

#include <filesystem>
#include <fstream>
#include <vector>

namespace simulation {

namespace fs = std::filesystem;

namespace {

constexpr std::int64_t page_size = 4096;

// Where the pages of trees begin, by their type (SQLite's file format, 1.6); not the first one, by which a file is
// known for a database.
std::vector<std::int64_t> tree_pages(const std::string& path)
{
    std::vector<std::int64_t> pages;
    std::ifstream from(path, std::ios::binary);
    std::string page(page_size, '\0');
    for (std::int64_t at = 0; from.read(page.data(), page_size); at += page_size)
        if (const char type = page.front(); at > 0 && (type == 2 || type == 5 || type == 10 || type == 13))
            pages.push_back(at);
    return pages;
}

} // namespace

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

bool DyingDisk::damage(const std::string& file)
{
    const std::string path = directory_ + '/' + file;
    vfs_.reset();
    const std::vector<std::int64_t> pages = tree_pages(path);
    if (!pages.empty()) {
        std::fstream to(path, std::ios::binary | std::ios::in | std::ios::out);
        to.seekp(pages[random_.below(pages.size())]);
        to << std::string(page_size, '\0');
    }
    disk_ = support::DiskModel();
    disk_.load(directory_);
    vfs_ = std::make_unique<support::RecordingVfs>(directory_);
    return !pages.empty();
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
