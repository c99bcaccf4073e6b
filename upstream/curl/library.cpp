// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/library.hpp"

#include <curl/curl.h>

namespace alli::upstream {

std::string curl_versions()
{
    return ::curl_version();
}

} // namespace alli::upstream
