// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/version.hpp"

#include "cache/db/library.hpp"
#include "upstream/curl/library.hpp"

#include <boost/version.hpp>
#include <spdlog/fmt/fmt.h>
#include <unicode/uversion.h>

namespace alli::daemon {

// The first line alone is for programs that read it.
std::string say_version()
{
    UVersionInfo unicode{};
    ::u_getVersion(unicode);
    return fmt::format("alli-mirror " ALLI_VERSION "\ncommit {}\n{} {} Boost/{}.{} ICU/{}.{}\ncompiler {}", ALLI_COMMIT,
                       cache::sqlite_version(), upstream::curl_versions(), BOOST_VERSION / 100'000,
                       BOOST_VERSION / 100 % 1000, unicode[0], unicode[1], __VERSION__);
}

} // namespace alli::daemon
