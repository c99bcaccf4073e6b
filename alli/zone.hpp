// SPDX-License-Identifier: Apache-2.0
// A time zone by its IANA name, with ICU's rules: a day that a person gives is a day where the person is, of 23, 24 or
// 25 hours. A value, cheap to copy; any thread.
#pragma once

#include "alli/instant.hpp"

#include <memory>

namespace alli {

class Zone {
  public:
    Zone(); // UTC
    /// In any case of letters; none for what is no IANA name ("KST" and "+09:00" are none).
    static std::optional<Zone> find(std::string_view name);
    /// Likewise, but throws Error{usage}, with the nearest name as its hint; the sentence does not repeat the text.
    static Zone load(std::string_view name);
    /// This machine's (TZ, /etc/localtime); UTC where it does not say. Read once.
    static const Zone& of_host();
    /// The name that was probably meant; empty where none is near.
    static std::string find_nearest(std::string_view name);

    const std::string& name() const noexcept { return name_; } // as IANA writes it

    /// The first instant of a day of its calendar. Of one that was left out, that of the next.
    Instant start_of(std::chrono::local_days day) const;
    std::chrono::seconds offset_at(Instant when) const;

  private:
    struct Rules;
    Zone(std::string name, std::shared_ptr<const Rules> rules);

    std::string name_;
    std::shared_ptr<const Rules> rules_;
};

/// "2026-01-31T18:30:00.25+09:00"; in UTC, or where the offset is no whole number of minutes, with Z.
std::string to_rfc3339(Instant when, const Zone& zone);

/// The bounds that a person gives: RFC 3339 with Z or an offset, or a day of `zone`. Both are exclusive, and a day is
/// whole: it is within what is after it, and nothing of it is before it. None when it is neither.
std::optional<Instant> read_after(std::string_view text, const Zone& zone);
std::optional<Instant> read_before(std::string_view text, const Zone& zone);

} // namespace alli
