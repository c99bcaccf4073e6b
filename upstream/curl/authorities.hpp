// SPDX-License-Identifier: Apache-2.0
// Certificate authorities: the system's, and those that are trusted besides, `upstream.ca_file`. Read once; must
// outlive what it was added to.
#pragma once

#include "upstream/curl/handles.hpp"

#include <memory>
#include <string>
#include <vector>

using X509 = struct x509_st;

namespace alli::upstream {

class Authorities {
  public:
    /// Every certificate of a PEM file; an empty name is none. Throws Error{settings} for one that cannot be read,
    /// holds none, or one that is damaged.
    explicit Authorities(const std::string& file);

    std::size_t size() const noexcept { return certificates_.size(); }
    /// The names of those that have run out.
    std::vector<std::string> expired() const;

    /// Connections that this handle opens trust the system's and these.
    void add_to(CURL* easy);
    /// The context is OpenSSL's SSL_CTX.
    static CURLcode add_to_context(CURL*, void* context, void* self) noexcept;

  private:
    struct Free {
        void operator()(X509* certificate) const noexcept;
    };
    std::vector<std::unique_ptr<X509, Free>> certificates_;
    std::string directory_; // of the system's, by a hash of their names
};

} // namespace alli::upstream
