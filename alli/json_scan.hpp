// SPDX-License-Identifier: Apache-2.0
// Follows the structure of a JSON text and nothing else: where strings and brackets end. What stands between them need
// not be JSON: no UTF-8, control characters, NaN, numbers of any size, any depth. Linear in time, without recursion; a
// bit of memory for each open bracket. Views point into the text that was given. Pure: any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace alli {

/// A value's bytes without the white space around them; empty where there is none.
struct JsonValue {
    std::string_view text;

    bool is_object() const { return text.starts_with('{'); }
    bool is_array() const { return text.starts_with('['); }
    bool is_string() const { return text.starts_with('"'); }
    bool is_null() const { return text == "null"; }

    /// What stands between a string's quotes, as it was sent.
    std::string_view inside() const { return text.substr(1, text.size() - 2); }
};

/// The next byte that is no white space of JSON, or the end.
std::size_t skip_blanks(std::string_view text, std::size_t at);

/// The end of the value that begins at `at`, which is no white space; npos: it does not close, or brackets of
/// different kinds meet. A value that is neither a string nor in brackets is all up to the next mark or white space.
std::size_t end_of_value(std::string_view text, std::size_t at);

/// The one value of a text, white space and a byte order mark around it aside. Empty: it cannot be followed to its end,
/// or something stands behind it.
JsonValue whole_value(std::string_view text);

/// Whether brackets are open more than `most` deep anywhere in a text, whatever else it holds.
bool is_deeper_than(std::string_view text, std::size_t most);

/// The members of an object whose end is known, in their order. Commas and colons may be missing, or too many.
class JsonMembers {
  public:
    explicit JsonMembers(JsonValue object) : text_(object.text), at_(object.is_object() ? 1 : text_.size()) {}

    bool next(); // to the next member; false: there is none

    std::string_view key;             // what it says; until the next one
    std::string_view raw_key;         // as it was sent, without its quotes
    const char* name_begin = nullptr; // where it begins, quote included
    JsonValue value;

  private:
    std::string decoded_;
    std::string_view text_;
    std::size_t at_;
};

/// The items of an array whose end is known, in their order.
class JsonItems {
  public:
    explicit JsonItems(JsonValue array) : text_(array.text), at_(array.is_array() ? 1 : text_.size()) {}

    bool next();

    JsonValue value;

  private:
    std::string_view text_;
    std::size_t at_;
};

/// The last member of that name; empty where there is none.
JsonValue find_member(JsonValue object, std::string_view name);

/// The object that bears any of these members: the root itself, or what its envelope, {"result": ...}, holds. Empty:
/// neither does.
JsonValue find_content(JsonValue root, std::span<const std::string_view> names);

/// `whole` with something else where `part` stands, which is a view into it.
std::string with_part(std::string_view whole, std::string_view part, std::string_view instead);

/// An array of these items.
std::string array_of(std::span<const std::string> items);

} // namespace alli
