// SPDX-License-Identifier: Apache-2.0
#include "cluster/shared_settings.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cluster {
namespace {

// A line each; a value has no line feed but an escaped one.
std::string escape(std::string_view value)
{
    std::string text;
    for (const char c : value) text += c == '\n' ? "\\n" : c == '\\' ? "\\\\" : std::string(1, c);
    return text;
}

std::string unescape(std::string_view text)
{
    std::string value;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool escaped = text[at] == '\\' && at + 1 < text.size();
        if (escaped) ++at;
        value += escaped && text[at] == 'n' ? '\n' : text[at];
    }
    return value;
}

} // namespace

std::string write_settings(const SharedSettings& settings)
{
    std::string text;
    for (const auto& [name, value] : settings) text += fmt::format("{}={}\n", name, escape(value));
    return text;
}

SharedSettings read_settings(std::string_view text)
{
    SharedSettings settings;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (const auto equals = line.find('='); equals != line.npos && equals > 0)
            settings[std::string(line.substr(0, equals))] = unescape(line.substr(equals + 1));
    }
    return settings;
}

void require_same(const SharedSettings& ours, const SharedSettings& shared)
{
    for (const auto& [name, value] : ours) {
        const auto found = shared.find(name);
        if (found == shared.end() || found->second == value) continue;
        throw Error(Fault::settings,
                    "set the same at all nodes; to change it for all of them: alli-mirror cluster settings --take at "
                    "one that has it, then start the others with it",
                    "{} is {} at this node and {} in the cluster: what the mirror holds would mean something else",
                    name, value, found->second);
    }
}

Task<> SettingsGuard::check()
{
    if (!known_) co_await check_again();
}

// Of what a database that was put back has not any more nothing stays known.
Task<> SettingsGuard::check_again()
{
    if (ours_.empty()) co_return;
    std::vector<std::string> names{settings_name};
    const auto state = co_await truth_.state(std::move(names));
    shared_.clear();
    hear(state);
    known_ = true;
}

void SettingsGuard::hear(const std::vector<cache::PublishedState>& state)
{
    for (const cache::PublishedState& one : state) {
        if (one.name != settings_name) continue;
        shared_ = read_settings(one.value);
        differs_ = true, known_ = false; // unless it is found to be the same
        require_same(ours_, shared_);
        differs_ = false, known_ = true;
    }
}

Task<std::optional<Position>> SettingsGuard::publish(Position mine, std::int64_t epoch)
{
    SharedSettings all = ours_;
    all.insert(shared_.begin(), shared_.end());
    if (all == shared_) co_return std::nullopt;
    cache::PublishedRows rows;
    rows.state.push_back({settings_name, write_settings(all)});
    const Position reached = co_await truth_.publish_after(std::move(mine), epoch, std::move(rows));
    shared_ = std::move(all);
    co_return reached;
}

} // namespace alli::cluster
