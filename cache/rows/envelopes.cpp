// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/envelopes.hpp"

#include "cache/db/meta.hpp"

namespace alli::cache {
namespace {

constexpr char mark = '\n'; // between what stands before and after; one that holds it is written without

std::string meta_name(Content content)
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
    const auto text = find_meta<std::string>(db, meta_name(content));
    if (!text) return std::nullopt;
    const auto at = text->find(mark);
    return at == text->npos ? Envelope{} : Envelope{text->substr(0, at), text->substr(at + 1)};
}

bool note_envelope(Writer& db, Content content, const Envelope& envelope)
{
    const auto known = find_envelope(db, content);
    if (known && known->is_none() == envelope.is_none()) return false;
    const std::string text =
        envelope.is_none() ? "none" : without_mark(envelope.before) + mark + without_mark(envelope.after);
    put_meta(db, meta_name(content), text);
    db.change_set().lists();
    return true;
}

std::string in_envelope(Connection& db, Content content, std::string body)
{
    const auto envelope = find_envelope(db, content);
    return envelope ? enveloped(*envelope, std::move(body)) : body;
}

} // namespace alli::cache
