// SPDX-License-Identifier: Apache-2.0
// One option of a handle of libcurl, set or thrown about.
#pragma once

#include "alli/error.hpp"
#include "upstream/curl/handles.hpp"

namespace alli::upstream::curl {

template <class Value>
void set(CURL* easy, CURLoption option, Value value)
{
    const CURLcode code = (curl_easy_setopt)(easy, option, value); // the function: the macro checks literals alone
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    if (code != CURLE_OK)
        throw Error(Fault::io, "libcurl 7.88 or newer, with TLS, is needed", "libcurl refuses option {}: {}",
                    static_cast<int>(option), curl_easy_strerror(code));
}

} // namespace alli::upstream::curl
