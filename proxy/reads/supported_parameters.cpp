// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/supported_parameters.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr std::array list_parameters{
    KnownParameter{"userIds", Occurs::each},
    KnownParameter{"llmAppId"},
    KnownParameter{"categoryId"},
    KnownParameter{"startedAt"},
    KnownParameter{"endAt"},
    KnownParameter{"firstChatStartedAt"},
    KnownParameter{"firstChatEndAt"},
    KnownParameter{"searchTerm"},
    KnownParameter{"cursor"},
    KnownParameter{"variables", Occurs::each},
    KnownParameter{"pageSize"},
    KnownParameter{"activeOnly"},
    KnownParameter{"backgroundRunning"},
    KnownParameter{"order"},
};
constexpr std::array conversation_parameters{KnownParameter{"variables", Occurs::list}};
constexpr std::array chats_parameters{KnownParameter{"pageNo"}};
constexpr std::array daily_count_parameters{KnownParameter{"startDate"}, KnownParameter{"endDate"}};

bool is_ignored(const Parameter& parameter, std::span<const std::string> ignored)
{
    return std::find(ignored.begin(), ignored.end(), parameter.name) != ignored.end();
}

// Another value of the same name came before.
bool is_contradicted(const Parameters& parameters, const Parameter& parameter)
{
    return std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& other) {
        return other.name == parameter.name && other.value != parameter.value;
    });
}

bool is_understood(const Parameters& parameters, const Parameter& parameter, const KnownParameter& known)
{
    if (known.occurs == Occurs::each) return parameter.value.find(',') == parameter.value.npos;
    return !is_contradicted(parameters, parameter);
}

} // namespace

std::span<const KnownParameter> SupportedParameters::list = list_parameters;
std::span<const KnownParameter> SupportedParameters::conversation = conversation_parameters;
std::span<const KnownParameter> SupportedParameters::chats = chats_parameters;
std::span<const KnownParameter> SupportedParameters::chat = {};
std::span<const KnownParameter> SupportedParameters::categories = {};
std::span<const KnownParameter> SupportedParameters::daily_count = daily_count_parameters;

std::optional<std::string> find_unsupported(const Parameters& parameters, std::span<const KnownParameter> known,
                                            std::span<const std::string> ignored)
{
    for (const Parameter& parameter : parameters) {
        if (is_ignored(parameter, ignored)) continue;
        const auto row = std::find_if(known.begin(), known.end(),
                                      [&](const KnownParameter& one) { return one.name == parameter.name; });
        if (row == known.end() || !is_understood(parameters, parameter, *row)) return parameter.name;
    }
    return std::nullopt;
}

std::optional<std::string> find_unsupported_in_list(const Parameters& parameters, std::span<const std::string> ignored)
{
    if (auto name = find_unsupported(parameters, SupportedParameters::list, ignored)) return name;
    if (find_parameter(parameters, "backgroundRunning")) return "backgroundRunning";
    const auto order = find_parameter(parameters, "order");
    if (order && !find_order(*order)) return "order";
    return std::nullopt;
}

bool has_ignored(const Parameters& parameters, std::span<const std::string> ignored)
{
    return std::any_of(parameters.begin(), parameters.end(),
                       [&](const Parameter& parameter) { return is_ignored(parameter, ignored); });
}

} // namespace alli::proxy
