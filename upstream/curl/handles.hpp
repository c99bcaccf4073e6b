// SPDX-License-Identifier: Apache-2.0
// libcurl's handles, owned. No logic; the only include of curl's headers in the tree.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <string>

namespace alli::upstream::curl {

template <auto close>
struct Closer {
    template <class T>
    void operator()(T* handle) const noexcept
    {
        close(handle);
    }
};

using Easy = std::unique_ptr<CURL, Closer<&curl_easy_cleanup>>;
using MultiHandle = std::unique_ptr<CURLM, Closer<&curl_multi_cleanup>>;
using Url = std::unique_ptr<CURLU, Closer<&curl_url_cleanup>>;
using Text = std::unique_ptr<char, Closer<&curl_free>>;

/// A list of header lines. curl copies each line, not the list: it must outlive the transfer.
class Slist {
  public:
    void append(const std::string& line)
    {
        curl_slist* longer = curl_slist_append(list_.get(), line.c_str());
        if (!longer) throw std::bad_alloc();
        list_.release();
        list_.reset(longer);
    }
    curl_slist* get() const noexcept { return list_.get(); }

  private:
    std::unique_ptr<curl_slist, Closer<&curl_slist_free_all>> list_;
};

} // namespace alli::upstream::curl
