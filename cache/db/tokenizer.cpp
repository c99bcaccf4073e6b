// SPDX-License-Identifier: Apache-2.0
#include "cache/db/tokenizer.hpp"

#include "cache/text/tokens.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <new>
#include <stdexcept>

namespace alli::cache {
namespace {

struct Kind {
    std::string_view name;
    TokenSet set;
};
constexpr Kind kinds[] = {
    {"pairs", TokenSet::pairs}, {"everything", TokenSet::everything}, {"letters", TokenSet::letters}};

Fts5Tokenizer* handle_of(const Kind& kind) // FTS5 hands it back, and never looks into it
{
    return reinterpret_cast<Fts5Tokenizer*>(const_cast<Kind*>(&kind));
}

int create(void*, const char** arguments, int count, Fts5Tokenizer** made)
{
    const std::string_view wanted = count > 0 ? arguments[0] : "pairs";
    for (const Kind& kind : kinds)
        if (kind.name == wanted) {
            *made = handle_of(kind);
            return SQLITE_OK;
        }
    return SQLITE_ERROR;
}

void destroy(Fts5Tokenizer*) {}

using Take = int (*)(void*, int, const char*, int, int, int);
struct Receiver {
    Take take;
    void* context;
};

int hand_over(void* to, const Token& token)
{
    const auto& receiver = *static_cast<Receiver*>(to);
    return receiver.take(receiver.context, token.beside ? FTS5_TOKEN_COLOCATED : 0, token.text.data(),
                         static_cast<int>(token.text.size()), static_cast<int>(token.begin),
                         static_cast<int>(token.end));
}

int split_query(std::string_view text, const Receiver& receiver)
{
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const auto size = static_cast<int>(end - at);
        const int code = size == 0 ? SQLITE_OK
                                   : receiver.take(receiver.context, 0, text.data() + at, size, static_cast<int>(at),
                                                   static_cast<int>(end));
        if (code != SQLITE_OK) return code;
        at = end + 1;
    }
    return SQLITE_OK;
}

int run(Fts5Tokenizer* tokenizer, void* context, int flags, const char* text, int size, Take take)
{
    Receiver receiver{take, context};
    const std::string_view whole(text != nullptr ? text : "", static_cast<std::size_t>(size));
    try {
        if ((flags & FTS5_TOKENIZE_QUERY) != 0) return split_query(whole, receiver);
        return tokenize(whole, reinterpret_cast<const Kind*>(tokenizer)->set, &hand_over, &receiver);
    } catch (const std::bad_alloc&) {
        return SQLITE_NOMEM;
    } catch (const std::exception&) {
        return SQLITE_ERROR;
    }
}

// term_frequency(TABLE, WEIGHT OF A COLUMN, ...): what a row is worth by its own text alone, the saturated number of
// occurrences of each phrase. bm25() weighs a term by how many rows of the whole index hold it, which would tell
// whoever sees a part of the rows about the others.
void term_frequency(const Fts5ExtensionApi* api, Fts5Context* row, sqlite3_context* result, int count,
                    sqlite3_value** weights)
{
    constexpr double saturation = 1.2; // as BM25's k1
    std::array<double, 256> found{};   // by phrase: more than a query has
    int occurrences = 0;
    if (const int code = api->xInstCount(row, &occurrences); code != SQLITE_OK)
        return sqlite3_result_error_code(result, code);
    for (int at = 0; at < occurrences; ++at) {
        int phrase = 0, column = 0, offset = 0;
        if (const int code = api->xInst(row, at, &phrase, &column, &offset); code != SQLITE_OK)
            return sqlite3_result_error_code(result, code);
        if (phrase < std::ssize(found))
            found[static_cast<std::size_t>(phrase)] += column < count ? sqlite3_value_double(weights[column]) : 1.0;
    }
    double sum = 0;
    for (const double times : found) sum += times * (saturation + 1) / (times + saturation);
    sqlite3_result_double(result, sum);
}

} // namespace

int register_tokenizer(sqlite3* db) noexcept
{
    fts5_api* api = nullptr;
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr);
    if (code != SQLITE_OK) return code;
    sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
    sqlite3_step(statement);
    code = sqlite3_finalize(statement);
    if (code != SQLITE_OK || api == nullptr) return code != SQLITE_OK ? code : SQLITE_ERROR;
    fts5_tokenizer methods{&create, &destroy, &run};
    code = api->xCreateTokenizer(api, "alli", nullptr, &methods, nullptr);
    return code != SQLITE_OK ? code : api->xCreateFunction(api, "term_frequency", nullptr, &term_frequency, nullptr);
}

} // namespace alli::cache
