// SPDX-License-Identifier: Apache-2.0
#include "cache/envelopes.hpp"

namespace alli::cache {
namespace {

constexpr char mark = '\n'; // between what stands before and after; one that holds it is written without

std::string fact_of(Content content)
{
    return "envelope " + std::string(content_names[static_cast<std::size_t>(content)]);
}

std::string without_mark(std::string text)
{
    std::erase(text, mark); // white space: nothing in it means anything
    return text;
}

} // namespace

std::optional<Envelope> find_envelope(Connection& db, Content content)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = ?1", fact_of(content))) {
        const std::string_view text = row.text(0);
        const auto at = text.find(mark);
        if (at == text.npos) return Envelope{};
        return Envelope{std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
    }
    return std::nullopt;
}

bool note_envelope(Writer& db, Content content, const Envelope& envelope)
{
    const auto known = find_envelope(db, content);
    if (known && known->is_none() == envelope.is_none()) return false;
    const std::string text =
        envelope.is_none() ? "none" : without_mark(envelope.before) + mark + without_mark(envelope.after);
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", fact_of(content), text);
    db.touched().lists();
    return true;
}

std::string in_envelope(Connection& db, Content content, std::string body)
{
    const auto envelope = find_envelope(db, content);
    return envelope ? enveloped(*envelope, std::move(body)) : body;
}

} // namespace alli::cache
