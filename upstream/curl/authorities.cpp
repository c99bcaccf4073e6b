// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/authorities.hpp"

#include "alli/error.hpp"
#include "upstream/curl/curl_set.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace alli::upstream {
namespace {

constexpr auto in_pem = "it must hold certificates in PEM form (-----BEGIN CERTIFICATE-----); of another form: openssl "
                        "x509 -inform der -in FILE -out FILE.pem";

std::string read_file(const std::string& name)
{
    constexpr std::size_t most = std::size_t{4} << 20;
    std::string text(most, '\0');
    errno = 0;
    std::ifstream file(name, std::ios::binary);
    file.read(text.data(), static_cast<std::streamsize>(most));
    if (file.bad() || !file.is_open() || (errno != 0 && file.gcount() == 0))
        throw Error(Fault::settings, "name a file that the user of this program may read",
                    "upstream.ca_file: cannot read {}: {}", name, std::strerror(errno ? errno : EIO));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

} // namespace

void Authorities::Free::operator()(X509* certificate) const noexcept
{
    X509_free(certificate);
}

Authorities::Authorities(const std::string& file)
{
    if (file.empty()) return;
    const std::string text = read_file(file);
    const std::unique_ptr<BIO, decltype(&BIO_free)> source(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                           &BIO_free);
    if (!source) throw std::bad_alloc();
    ERR_clear_error();
    while (X509* one = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)) certificates_.emplace_back(one);
    const bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!is_end)
        throw Error(Fault::settings, in_pem, "upstream.ca_file: certificate {} of {} is damaged", size() + 1, file);
    if (certificates_.empty()) throw Error(Fault::settings, in_pem, "upstream.ca_file: {} holds no certificate", file);
}

std::vector<std::string> Authorities::expired() const
{
    std::vector<std::string> names;
    for (const auto& certificate : certificates_) {
        if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) >= 0) continue;
        std::array<char, 256> name{};
        X509_NAME_oneline(X509_get_subject_name(certificate.get()), name.data(), name.size());
        names.emplace_back(name.data());
    }
    return names;
}

// Not by CURLOPT_CAINFO, which takes the place of the system's. And libcurl keeps what it has read of the system's file
// only where no directory is set: else each connection reads 140 certificates, 25 ms in which the loop stands still. So
// the directory, which costs nothing before it is needed, is added here.
void Authorities::add_to(CURL* easy)
{
    constexpr long seconds = 3600; // then a change of the system's is seen
    const char* directory = nullptr;
    if (directory_.empty() && curl_easy_getinfo(easy, CURLINFO_CAPATH, &directory) == CURLE_OK && directory)
        directory_ = directory;
    curl::set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    curl::set(easy, CURLOPT_CA_CACHE_TIMEOUT, seconds);
    curl::set(easy, CURLOPT_SSL_CTX_FUNCTION, &Authorities::add_to_context);
    curl::set(easy, CURLOPT_SSL_CTX_DATA, this);
}

// libcurl calls it once a connection, when the system's are in the context already, perhaps with ours from the last
// time: adding twice does nothing.
CURLcode Authorities::add_to_context(CURL*, void* context, void* self) noexcept
{
    X509_STORE* trusted = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(context));
    const auto& own = *static_cast<const Authorities*>(self);
    if (!own.directory_.empty() && X509_STORE_load_path(trusted, own.directory_.c_str()) != 1)
        return CURLE_SSL_CACERT_BADFILE;
    for (const auto& certificate : own.certificates_)
        if (X509_STORE_add_cert(trusted, certificate.get()) != 1) return CURLE_SSL_CACERT_BADFILE;
    return CURLE_OK;
}

} // namespace alli::upstream
