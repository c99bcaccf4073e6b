// SPDX-License-Identifier: Apache-2.0
// Looks at JSON that streams by, in either direction, for the conversation that it is about and for how an app is to
// run (api/NOTES.md, "Running an app"). One document or one a line; what is around it (multipart) does not matter.
// Constant memory, a byte at a time, never holds anything up. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

class JsonSniffer {
  public:
    /// Looks at no more than so many bytes.
    explicit JsonSniffer(std::size_t most = std::size_t{4} << 20) : left_(most) {}

    void feed(std::string_view piece);

    /// The `id` of the first object named "conversation", or the first "conversationId"; none: not seen yet.
    const std::optional<std::string>& conversation() const noexcept { return conversation_; }
    /// The texts in lists named "conversationIds", the first hundred.
    const std::vector<std::string>& conversations() const noexcept { return conversations_; }
    /// "mode": "background".
    bool background() const noexcept { return background_; }

  private:
    static constexpr std::size_t longest = 1024; // of a string that is looked at
    static constexpr std::size_t most_listed = 100;

    void take(char c);
    void take_in_string(char c);
    void end_string();
    void open(char c);
    void close();

    std::size_t left_;
    std::optional<std::string> conversation_;
    std::vector<std::string> conversations_;
    bool background_ = false;

    bool quoted_ = false, escaped_ = false;
    std::string text_; // of the last string, as it was written, without its quotes
    bool has_text_ = false;
    std::string key_;            // whose value comes next; empty: none
    int depth_ = 0, inside_ = 0; // inside_: the depth of the members of "conversation"
    int listed_ = 0;             // that of the items of "conversationIds"
};

/// The conversation that a text is about.
std::optional<std::string> find_conversation_id(std::string_view json);

} // namespace alli::proxy
