// SPDX-License-Identifier: Apache-2.0
#include "alli/digest.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>
#include <new>

namespace alli {

namespace {

struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

} // namespace

// To look the algorithm up and to make a context costs several times what the hash of a key does.
Digest sha256(std::string_view bytes)
{
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    thread_local const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    Digest digest{};
    if (!algorithm || !context || !EVP_DigestInit_ex(context.get(), algorithm, nullptr) ||
        !EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) ||
        !EVP_DigestFinal_ex(context.get(), digest.data(), nullptr))
        throw std::bad_alloc();
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
