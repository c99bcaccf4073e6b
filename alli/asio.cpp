// SPDX-License-Identifier: Apache-2.0
// The one place where Asio is compiled; everywhere else it is declarations.
#include <boost/asio/impl/src.hpp>
