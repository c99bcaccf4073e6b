// SPDX-License-Identifier: Apache-2.0
#include "alli/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <new>

namespace alli {

Digest sha256(std::string_view bytes)
{
    Digest digest{};
    if (!EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr)) throw std::bad_alloc();
    return digest;
}

Digest seal(std::string_view secret, std::string_view bytes)
{
    Digest digest{};
    unsigned size = 0;
    const auto* start = reinterpret_cast<const unsigned char*>(bytes.data());
    const int key_size = static_cast<int>(secret.size());
    if (!HMAC(EVP_sha256(), secret.data(), key_size, start, bytes.size(), digest.data(), &size)) throw std::bad_alloc();
    return digest;
}

} // namespace alli
