// SPDX-License-Identifier: Apache-2.0
// Looks at the first bytes of a JSON answer that streams by for the conversation it is about, and never holds them up.
#pragma once

#include "alli/source.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace alli::proxy {

/// The `id` of the first object named "conversation"; nothing where it is not there, or not whole yet.
std::optional<std::string> find_conversation_id(std::string_view json);

class Notice final : public Source {
  public:
    using Found = std::function<void(const std::string& id)>;

    /// `found` is called when the id goes by, and again when the answer is over, whole or not.
    Notice(std::unique_ptr<Source> body, Found found) : body_(std::move(body)), found_(std::move(found)) {}
    ~Notice() override;

    Task<std::optional<std::string>> next() override;
    bool ready() const override { return body_->ready(); }
    void wind_up() override { body_->wind_up(); }

  private:
    static constexpr std::size_t looked_at = 16 * 1024;
    void look(std::string_view piece);

    std::unique_ptr<Source> body_;
    Found found_;
    std::string seen_;
    std::string id_;
    bool done_ = false;
};

} // namespace alli::proxy
