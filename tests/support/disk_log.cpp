// SPDX-License-Identifier: Apache-2.0
#include "tests/support/disk_log.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace support {
namespace {

namespace fs = std::filesystem;
using Kind = LoggedCall::Kind;

constexpr std::size_t sector = 512, page = 4096;

std::size_t size_of(std::int64_t bytes)
{
    return static_cast<std::size_t>(bytes);
}

void put(std::string& content, const std::string& bytes, std::int64_t at)
{
    if (content.size() < size_of(at) + bytes.size()) content.resize(size_of(at) + bytes.size(), '\0');
    content.replace(size_of(at), bytes.size(), bytes);
}

void apply_to(std::string& content, const LoggedCall& call)
{
    if (call.kind == Kind::truncate)
        content.resize(size_of(call.at), '\0');
    else
        put(content, call.bytes, call.at);
}

// Its first sectors, up to a boundary of the file's.
LoggedCall torn(const LoggedCall& call, alli::Random& random)
{
    LoggedCall part = call;
    const std::size_t most = call.bytes.size() / sector + 1;
    const std::size_t end = (size_of(call.at) / sector + random.below(most)) * sector;
    part.bytes.resize(std::min(call.bytes.size(), end > size_of(call.at) ? end - size_of(call.at) : 0));
    return part;
}

std::string directory_of(const std::string& path)
{
    return fs::path(path).parent_path().string();
}

bool is_in(const std::string& path, const std::string& directory)
{
    return path.starts_with(directory + '/');
}

std::string read_whole(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_whole(const fs::path& path, const std::string& bytes)
{
    fs::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
    fs::permissions(path, fs::perms(0600));
}

} // namespace

std::string_view name_of(Kind kind)
{
    constexpr std::array<std::string_view, 8> names{"create",      "write",          "truncate", "sync",
                                                    "failed sync", "directory sync", "rename",   "remove"};
    return names[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Loss loss)
{
    constexpr std::array<std::string_view, 5> names{"all unsynced", "nothing", "some writes", "torn write",
                                                    "reordered"};
    return names[static_cast<std::size_t>(loss)];
}

void DiskModel::load(const std::string& directory)
{
    for (const auto& entry : fs::recursive_directory_iterator(directory)) {
        if (!entry.is_regular_file()) continue;
        const std::string name = fs::relative(entry.path(), directory).string();
        if (name.ends_with("-shm") || name.ends_with(".lock")) continue; // made anew by whoever opens
        names_[name] = std::make_shared<File>(File{read_whole(entry.path()), {}});
    }
    on_disk_ = names_;
}

DiskModel DiskModel::copy() const
{
    DiskModel made;
    for (const auto& [name, file] : on_disk_) made.names_[name] = std::make_shared<File>(*file);
    made.on_disk_ = made.names_;
    return made;
}

void DiskModel::apply(const LoggedCall& call)
{
    if (call.kind == Kind::create) return create(call);
    if (call.kind == Kind::sync_directory) return sync_names(call.path);
    if (call.kind == Kind::rename || call.kind == Kind::remove) return change_name({call, nullptr});
    const auto found = names_.find(call.path);
    if (found == names_.end()) return; // a file without a name: nobody finds it again
    File& file = *found->second;
    if (call.kind == Kind::sync)
        for (const LoggedCall& write : file.unsynced) apply_to(file.on_disk, write);
    if (call.kind == Kind::sync || call.kind == Kind::failed_sync)
        file.unsynced.clear();
    else
        file.unsynced.push_back(call);
}

void DiskModel::create(const LoggedCall& call)
{
    if (const auto found = names_.find(call.path); found != names_.end())
        return found->second->unsynced.push_back({Kind::truncate, call.path});
    change_name({call, std::make_shared<File>()});
}

void DiskModel::change_name(NameChange made)
{
    change(names_, made);
    unsynced_.push_back(std::move(made));
}

void DiskModel::change(Names& names, const NameChange& made)
{
    if (made.call.kind == Kind::create)
        names[made.call.path] = made.file;
    else if (made.call.kind == Kind::remove)
        remove(names, made.call.path);
    else
        rename(names, made.call.path, made.call.to);
}

void DiskModel::remove(Names& names, const std::string& path)
{
    std::erase_if(names, [&](const auto& name) { return name.first == path || is_in(name.first, path); });
}

void DiskModel::rename(Names& names, const std::string& from, const std::string& to)
{
    Names moved;
    for (const auto& [name, file] : names)
        if (name == from || is_in(name, from)) moved[to + name.substr(from.size())] = file;
    remove(names, from);
    for (auto& [name, file] : moved) names[name] = std::move(file);
}

void DiskModel::sync_names(const std::string& directory)
{
    std::vector<NameChange> left;
    for (NameChange& made : unsynced_) {
        const bool here = directory_of(made.call.path) == directory ||
                          (made.call.kind == Kind::rename && directory_of(made.call.to) == directory);
        if (here)
            change(on_disk_, made);
        else
            left.push_back(std::move(made));
    }
    unsynced_ = std::move(left);
}

// The names come to the disk in their order, as every journal of a file system keeps it.
DiskModel::Names DiskModel::names_after(Loss loss, alli::Random& random) const
{
    std::size_t kept = unsynced_.size();
    if (loss == Loss::all_unsynced) kept = 0;
    if (loss == Loss::some_writes || loss == Loss::reordered) kept = random.below(unsynced_.size() + 1);
    Names names = on_disk_;
    for (std::size_t i = 0; i < kept; ++i) change(names, unsynced_[i]);
    return names;
}

// As the page cache is written back: each page as it was at some moment, the size as well.
std::string DiskModel::mix_pages(const File& file, alli::Random& random)
{
    std::string size = file.on_disk, content = file.on_disk;
    std::map<std::size_t, std::size_t> moments;
    const auto moment_of = [&](std::size_t number) {
        const auto [found, fresh] = moments.try_emplace(number, 0);
        if (fresh) found->second = random.below(file.unsynced.size() + 1);
        return found->second;
    };
    const std::size_t size_moment = random.below(file.unsynced.size() + 1);
    for (std::size_t i = 0; i < file.unsynced.size(); ++i) {
        const LoggedCall& call = file.unsynced[i];
        if (i < size_moment) apply_to(size, call);
        if (call.kind == Kind::truncate) continue;
        for (std::size_t at = 0; at < call.bytes.size();) {
            const std::size_t place = size_of(call.at) + at,
                              part = std::min(page - place % page, call.bytes.size() - at);
            if (i < moment_of(place / page))
                put(content, call.bytes.substr(at, part), static_cast<std::int64_t>(place));
            at += part;
        }
    }
    content.resize(size.size(), '\0');
    return content;
}

std::string DiskModel::remains_of(const File& file, Loss loss, alli::Random& random)
{
    if (loss == Loss::reordered) return mix_pages(file, random);
    std::string content = file.on_disk;
    if (loss == Loss::all_unsynced) return content;
    for (std::size_t i = 0; i < file.unsynced.size(); ++i) {
        const bool last = i + 1 == file.unsynced.size();
        if (loss == Loss::some_writes && random.below(2) == 0) continue;
        if (loss == Loss::torn_write && last && file.unsynced[i].kind == Kind::write)
            apply_to(content, torn(file.unsynced[i], random));
        else
            apply_to(content, file.unsynced[i]);
    }
    return content;
}

void DiskModel::write_remains(const std::string& directory, Loss loss, alli::Random& random) const
{
    for (const auto& [name, file] : names_after(loss, random))
        write_whole(fs::path(directory) / name, remains_of(*file, loss, random));
}

} // namespace support
