// SPDX-License-Identifier: Apache-2.0
#include "cluster/suppressed.hpp"

#include "alli/digest.hpp"

#include <charconv>

namespace alli::cluster {
namespace {

constexpr std::string_view before_word = "before "; // shorter than any hash

std::string hex(std::string_view bytes)
{
    std::string text;
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::string unhex(std::string_view text)
{
    std::string bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        unsigned value = 0;
        const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 2, value, 16);
        if (error != std::errc() || end != text.data() + at + 2) return "";
        bytes += static_cast<char>(value);
    }
    return bytes;
}

std::optional<Instant> find_before(std::string_view hash)
{
    if (!hash.starts_with(before_word) || hash.size() > 30) return std::nullopt;
    hash.remove_prefix(before_word.size());
    std::int64_t us = 0;
    const auto [end, error] = std::from_chars(hash.data(), hash.data() + hash.size(), us);
    if (error != std::errc() || end != hash.data() + hash.size()) return std::nullopt;
    return Instant(std::chrono::microseconds(us));
}

} // namespace

std::vector<Suppressed> entries_of(const cache::SuppressionList& list)
{
    const std::string key = hex(list.key);
    std::vector<Suppressed> entries;
    for (const std::string& hash : list.hashes) entries.push_back({key, hash});
    if (list.before)
        entries.push_back({key, fmt::format("{}{}", before_word, list.before->time_since_epoch().count())});
    return entries;
}

cache::SuppressionList list_of(const std::vector<Suppressed>& entries, const std::string& key)
{
    cache::SuppressionList list;
    list.key = key;
    for (const Suppressed& entry : entries) {
        const std::string its = unhex(entry.key_id);
        if (list.key.empty()) list.key = its;
        if (its.empty() || its != list.key) continue;
        if (const auto before = find_before(entry.hash))
            list.before = std::max(list.before.value_or(*before), *before);
        else
            list.hashes.push_back(entry.hash);
    }
    return list;
}

std::string shared_key(const std::string& store)
{
    return std::string(bytes_of(seal(store, "suppression list")));
}

} // namespace alli::cluster
